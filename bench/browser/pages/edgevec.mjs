// edgevec, over unit vectors by their Euclidean distance: its cosine and its inner product answer what is farthest. How
// widely it searches is part of its configuration, so that there is one setting, and `ef` is not looked at.

import init, { EdgeVec, EdgeVecConfig } from '/peers/edgevec/edgevec.js';

import { each, milliseconds } from './clock.mjs';
import { queries, vectors } from './data.mjs';

const K = 10;
const EF = 100;
const module = await init();

let index;
let rows;

const unit = (vector) => {
  const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return vector.map((x) => x / norm);
};
const asked = async () => (await queries()).map(unit);

async function build() {
  const all = (await vectors()).map(unit);
  const total = await milliseconds(() => {
    const config = new EdgeVecConfig(all[0].length);
    config.metric = 'l2';
    config.m = 16;
    config.m0 = 32;
    config.ef_construction = 200;
    config.ef_search = EF;
    index = new EdgeVec(config);
    rows = new Map(all.map((vector, i) => [index.insert(vector), i]));
  });
  return { total, memory: module.memory.buffer.byteLength };
}

export default async () => {
  globalThis.bench = {
    build,
    time: async () => each(await asked(), (query) => index.search(query, K)),
    answers: async () => (await asked()).map((query) => index.search(query, K).map(({ id }) => `${rows.get(id)}`)),
  };
};
