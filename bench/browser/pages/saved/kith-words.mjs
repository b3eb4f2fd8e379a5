// From navigation to the first answer of a saved collection of texts.

import { open } from '/kithdb/browser.js';

import { first } from '../data.mjs';
import { memory } from '../memory.mjs';

export default async () => {
  const { text } = await first();
  const start = performance.now();
  const database = await open('bench-words');
  const { hits } = database.collection('bench').searchSync({ text, k: 10 });
  const end = performance.now();
  const taken = await memory();
  await database.close();
  return { hits: hits.length, start, end, memory: taken };
};
