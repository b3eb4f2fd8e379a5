// From navigation to the first answer of a saved MiniSearch.

import MiniSearch from '/peers/minisearch/dist/es/index.js';

import { first } from '../data.mjs';
import { OPTIONS, get } from './text.mjs';

export default async () => {
  const { text } = await first();
  const start = performance.now();
  const index = MiniSearch.loadJSON(await get('minisearch'), OPTIONS);
  const hits = index.search(text).slice(0, 10);
  return { hits: hits.length, start, end: performance.now() };
};
