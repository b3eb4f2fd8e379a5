// From navigation to the first answer of a saved collection of vectors.

import { open } from '/kithdb/browser.js';

import { first } from '../data.mjs';
import { memory } from '../memory.mjs';

export default async () => {
  const { vector } = await first();
  const start = performance.now();
  const database = await open('bench-vectors');
  const { hits } = database.collection('bench').searchSync({ vector, k: 10 });
  const end = performance.now();
  const taken = await memory();
  await database.close();
  return { hits: hits.length, start, end, memory: taken };
};
