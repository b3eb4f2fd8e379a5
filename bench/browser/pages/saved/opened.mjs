// From navigation to the first answer of a saved collection of KithDB.

import { open } from '/kithdb/browser.js';

import { memory } from '../memory.mjs';

/** Opens a saved database and asks it once; `request` is made before the clock runs. */
export async function opened(kind, request) {
  const asked = await request();
  const start = performance.now();
  const database = await open(`bench-${kind}`);
  const { hits } = database.collection('bench').searchSync({ ...asked, k: 10 });
  const end = performance.now();
  const taken = await memory();
  await database.close();
  return { hits: hits.length, start, end, memory: taken };
}
