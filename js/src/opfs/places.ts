// In which place of the browser a database is. There is one of a name: what is asked for elsewhere is refused.

import { isInIndexedDb } from '../wasm/indexeddb.js';
import { isThere } from './directory.js';
import { keptElsewhere, keptTwice } from './errors.js';

/** Where a database can be kept. */
export const PLACES = ['indexeddb', 'opfs'] as const;
export type Place = (typeof PLACES)[number];

/** Where the database is, or where it is to be made; `asked` is what the caller wants. To be called with its lock held. */
export async function placeOf(name: string, asked: Place | undefined): Promise<Place> {
  const isInOpfs = await isThere(name);
  if (!isInOpfs && asked !== 'opfs') return 'indexeddb';
  // Said so, and there: whatever else there is.
  if (isInOpfs && asked === 'opfs') return 'opfs';
  const isElsewhere = await isInIndexedDb(name);
  const places: Place[] = [...(isInOpfs ? (['opfs'] as const) : []), ...(isElsewhere ? (['indexeddb'] as const) : [])];
  const [only, another] = places;
  if (asked === undefined && another) throw keptTwice(name);
  if (asked === undefined) return only!;
  if (only && !places.includes(asked)) throw keptElsewhere(name, only, asked);
  return asked;
}
