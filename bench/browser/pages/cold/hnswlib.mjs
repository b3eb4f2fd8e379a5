// From navigation until hnswlib-wasm can be asked something, as its documentation loads it.

import { loadHnswlib } from '/peers/hnswlib-wasm/dist/hnswlib.js';

export default async () => {
  const library = await loadHnswlib();
  new library.HierarchicalNSW('cosine', 256, '');
  return performance.now();
};
