// A defect of the browser, and what keeps it from our data.
//
// Chromium keeps the IndexedDB of an origin in one LevelDB, whose log of the last writes goes on after a restart where it
// ended. When the whole browser was killed within a write, it ended in half a record: the next start passes over that and
// writes behind it, and the start after that one finds a record whose checksum is wrong and deletes everything that the
// origin has. So whoever opens a database that was not closed first fills the log, until LevelDB begins another and has
// no more need of the torn one. Firefox and Safari use SQLite, which rolls back what was torn.

import { FORMAT, RECORD_BYTES } from './layout.js';
import { result, transact } from './transactions.js';

/** In `meta` from before the first write until the database is closed or the log renewed. */
const MARK = 'writing';

const FILLER = 'filler';

/**
 * LevelDB begins another log at 4 MiB, and one more only when it has no need of the first. Its own notes of what a value
 * was before fill it as well, but they are not counted on.
 */
const FILLER_COUNT = Math.ceil((2.2 * 4 * 1024 * 1024) / RECORD_BYTES);

/** Has the browser begin another log, if it may end in half a record. To be called before anything is written. */
export async function renewLog(database: IDBDatabase): Promise<void> {
  if (!isChromium() || !(await isMarked(database))) return;
  try {
    await transact(database, ['meta'], 'readwrite', 'relaxed', async (transaction) => {
      const meta = transaction.objectStore('meta');
      // Larger values would not be in LevelDB's log.
      const bytes = new Uint8Array(RECORD_BYTES);
      for (let i = 0; i < FILLER_COUNT; i += 1) meta.put(bytes, FILLER);
      meta.delete(FILLER);
      meta.delete(MARK);
    });
  } catch {
    // A full disk must not keep anyone from what is stored.
  }
}

/** Says that there are writes from now on: in a transaction before them, or it could be lost with the first of them. */
export async function markWriting(transaction: IDBTransaction): Promise<void> {
  transaction.objectStore('meta').put(true, MARK);
}

/** Says that the last write is done. */
export async function markWritten(transaction: IDBTransaction): Promise<void> {
  transaction.objectStore('meta').delete(MARK);
}

function isMarked(database: IDBDatabase): Promise<boolean> {
  return transact(database, ['meta'], 'readonly', 'relaxed', async (transaction) => {
    const meta = transaction.objectStore('meta');
    // A later layout is left as it is.
    return (await result(meta.get('format'))) === FORMAT && (await result(meta.get(MARK))) === true;
  });
}

/** By what the browser says of itself, to secure origins alone; one that says nothing is none. */
export function isChromium(): boolean {
  const { userAgentData } = (globalThis.navigator ?? {}) as { userAgentData?: { brands?: { brand: string }[] } };
  return userAgentData?.brands?.some(({ brand }) => brand === 'Chromium') ?? false;
}
