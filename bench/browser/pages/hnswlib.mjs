// hnswlib-wasm as its documentation uses it. Plain arrays, and inner products of unit vectors, take as long.

import { loadHnswlib, syncFileSystem } from '/peers/hnswlib-wasm/dist/hnswlib.js';

import { each, milliseconds } from './clock.mjs';
import { queries, vectors } from './data.mjs';

const K = 10;
const library = await loadHnswlib();

let index;

async function build() {
  const all = await vectors();
  const total = await milliseconds(() => {
    index = new library.HierarchicalNSW('cosine', all[0].length, '');
    index.initIndex(all.length, 16, 200, 100);
    index.addItems(all, false);
  });
  return { total, memory: library.HEAPU8.buffer.byteLength };
}

async function time({ ef }) {
  index.setEfSearch(ef);
  return each(await queries(), (query) => index.searchKnn(query, K, undefined));
}

async function answers({ ef }) {
  index.setEfSearch(ef);
  return (await queries()).map((query) => index.searchKnn(query, K, undefined).neighbors.map(String));
}

/** Milliseconds of building, writing and storing. */
async function save() {
  const { total } = await build();
  const stored = await milliseconds(async () => {
    await index.writeIndex('bench.dat');
    await syncFileSystem('write');
  });
  return { total: total + stored };
}

export default async () => {
  globalThis.bench = { build, time: (_kind, more) => time(more), answers: (_kind, more) => answers(more), save };
};
