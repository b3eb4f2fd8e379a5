// From navigation to the first answer of a saved index of hnswlib-wasm.

import { loadHnswlib, syncFileSystem } from '/peers/hnswlib-wasm/dist/hnswlib.js';

import { first } from '../data.mjs';

export default async () => {
  const { vector, documents } = await first();
  const start = performance.now();
  const library = await loadHnswlib();
  await syncFileSystem('read');
  const index = new library.HierarchicalNSW('cosine', vector.length, '');
  await index.readIndex('bench.dat', documents);
  const { neighbors } = index.searchKnn(vector, 10, undefined);
  const end = performance.now();
  return { hits: neighbors.length, start, end, memory: library.HEAPU8.buffer.byteLength };
};
