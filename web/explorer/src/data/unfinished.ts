// The copy into this browser that has not ended: a page that is closed in the middle of one leaves a part of a collection,
// which is removed when its database is opened the next time.

import type { Database } from './types.js';

const KEY = 'kithdb.copying';
/** Held by the tab that copies. */
const LOCK = 'kithdb-copying';

interface Unfinished {
  database: string;
  collection: string;
}

/** Copies, and notes down until it has ended what would be left of it. */
export async function whileNoted<T>(unfinished: Unfinished, copy: () => Promise<T>): Promise<T> {
  const noted = async () => {
    keep(unfinished);
    const done = await copy();
    keep(null);
    return done;
  };
  // One copy at a time, whichever tab makes it.
  return navigator.locks ? navigator.locks.request(LOCK, noted) : noted();
}

/** Removes what a copy has left, if it was into this database and no tab is at it. */
export async function removeUnfinished(database: Database, name: string): Promise<void> {
  if (read()?.database !== name || !navigator.locks) return;
  await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    const left = read();
    if (!lock || left?.database !== name) return;
    const all = await database.collections();
    if (all.some((info) => info.name === left.collection)) await database.drop(left.collection);
    keep(null);
  });
}

/** A browser can be told to keep nothing; then nothing is noted either. */
function keep(unfinished: Unfinished | null): void {
  try {
    if (unfinished) localStorage.setItem(KEY, JSON.stringify(unfinished));
    else localStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}

function read(): Unfinished | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null') as Unfinished | null;
  } catch {
    return null;
  }
}
