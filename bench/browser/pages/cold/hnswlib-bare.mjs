// From navigation until hnswlib-wasm can be asked something, without its file system: its loader polls for that every
// 100 ms, which is a wait and no work. The file's name is what the loader of this exact version imports.

import factory from '/peers/hnswlib-wasm/dist/hnswlib-317962d7.js';

export default async () => {
  const library = await factory();
  new library.HierarchicalNSW('cosine', 256, '');
  return performance.now();
};
