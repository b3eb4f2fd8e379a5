// MiniSearch with its defaults (OR, BM25+, no prefixes, nothing fuzzy), storing the gloss so that hits carry it.

import MiniSearch from '/peers/minisearch/dist/es/index.js';

import { each, milliseconds } from './clock.mjs';
import { documents, words } from './data.mjs';
import { OPTIONS, put } from './saved/text.mjs';

const K = 10;

let index;

async function build() {
  const all = await documents();
  return { total: await milliseconds(() => {
    index = new MiniSearch(OPTIONS);
    index.addAll(all);
  }) };
}

async function save() {
  const { total } = await build();
  return { total: total + await milliseconds(() => put(JSON.stringify(index))) };
}

export default async () => {
  globalThis.bench = {
    build,
    time: async () => each(await words(), (query) => index.search(query).slice(0, K)),
    answers: async () => (await words()).map((query) => index.search(query).slice(0, K).map(({ id }) => id)),
    save,
  };
};
