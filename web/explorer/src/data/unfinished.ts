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

/**
 * Puts what `store` stores under a name in place of what is there. Until that has ended it is noted down what would be left of it, and
 * no longer: before, the collection of that name is another one. Where it fails, nothing of it stays.
 */
export async function replaceNoted<T>(database: Database, what: Unfinished, signal: AbortSignal, store: () => Promise<T>): Promise<T> {
  const replace = async () => {
    signal.throwIfAborted();
    await dropIfThere(database, what.collection);
    keep(what);
    try {
      const stored = await store();
      keep(null);
      return stored;
    } catch (error) {
      // What it failed with is worth more than what the clearing up fails with; then the note stays.
      await dropIfThere(database, what.collection).then(() => keep(null), () => {});
      throw error;
    }
  };
  // One at a time, whichever tab does it: there is one note.
  return navigator.locks ? navigator.locks.request(LOCK, { signal }, replace) : replace();
}

/** Removes what a copy has left, if it was into this database and no tab is at it. */
export async function removeUnfinished(database: Database, name: string): Promise<void> {
  if (read()?.database !== name || !navigator.locks) return;
  await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    const left = read();
    if (!lock || left?.database !== name) return;
    await dropIfThere(database, left.collection);
    keep(null);
  });
}

async function dropIfThere(database: Database, name: string): Promise<void> {
  const all = await database.collections();
  if (all.some((info) => info.name === name)) await database.drop(name);
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
