// MiniSearch with its defaults (OR, BM25+, no prefixes, nothing fuzzy), storing the gloss so that hits carry it.

import MiniSearch from '/peers/minisearch/dist/es/index.js';

import { each, milliseconds } from './clock.mjs';
import { documents, words } from './data.mjs';
import { OPTIONS, put } from './saved/text.mjs';

const K = 10;

/** What a page answers whose index has these options. */
export function bench(options) {
  let index;
  const build = async () => {
    const all = await documents();
    return { total: await milliseconds(() => {
      index = new MiniSearch(options);
      index.addAll(all);
    }) };
  };
  return {
    build,
    time: async () => each(await words(), (query) => index.search(query).slice(0, K)),
    answers: async () => (await words()).map((query) => index.search(query).slice(0, K).map(({ id }) => id)),
    save: async () => {
      const { total } = await build();
      return { total: total + await milliseconds(() => put('minisearch', JSON.stringify(index))) };
    },
  };
}

export default async () => {
  globalThis.bench = bench(OPTIONS);
};
