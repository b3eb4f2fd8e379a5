// From navigation to the first answer of a saved dump of Orama.

import { load, search } from '/peers/@orama/orama/dist/browser/index.js';

import { first } from '../data.mjs';
import { emptyIndex } from '../orama.mjs';
import { get } from './text.mjs';

/** Restores a dump and asks it once; `request` is made before the clock runs. */
export async function restored(kind, request) {
  const [asked, index] = [request(await first()), await emptyIndex(kind)];
  const start = performance.now();
  load(index, JSON.parse(await get(`orama-${kind}`)));
  const { hits } = await search(index, { ...asked, limit: 10 });
  return { hits: hits.length, start, end: performance.now() };
}
