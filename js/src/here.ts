// Opens databases of this origin on the thread that asks: alone, or together with other tabs.

import { KithError, invalidRequest } from './errors.js';
import type { BackendDatabase } from './engine/backend.js';
import { checkHere, deleteDirectory } from './opfs/directory.js';
import { notShared } from './opfs/errors.js';
import { PLACES, type Place, placeOf } from './opfs/places.js';
import { openOpfs } from './opfs/store.js';
import { openShared } from './tabs/tabs.js';
import { deleteIndexedDb, openIndexedDb, readIndexedDb } from './wasm/indexeddb.js';
import { takeLock } from './wasm/locks.js';
import { type EngineOptions, type Taken, openBackend, prepare } from './wasm/open.js';

/** How a database is opened on this thread. */
export interface HereOptions extends EngineOptions {
  /**
   * True to open it together with other tabs and Workers that say so, too. One of them keeps the database and writes for the
   * others, which read copies of their own; when it goes, another one does. All of them are to give the same options.
   */
  shared?: boolean | undefined;
  /**
   * Where to keep the database: in IndexedDB, or in the origin private file system, which takes writes quicker, wants the engine
   * in a dedicated Worker, and is of one tab alone. Left out, it is opened where it is, and a new one made in IndexedDB.
   */
  storage?: Place | undefined;
}

/** Opens a database of a name, or one in memory. */
export async function openHere(name: string | undefined, options: HereOptions = {}): Promise<BackendDatabase> {
  const { shared = false, storage, ...rest } = options;
  if (typeof shared !== 'boolean') throw invalidRequest('shared that is true or false', shared);
  if (storage !== undefined && !PLACES.includes(storage)) throw invalidRequest("storage that is 'indexeddb' or 'opfs'", storage);
  if (name === undefined) {
    if (shared) throw invalidRequest('shared with a database that has a name', 'one in memory');
    if (storage) throw invalidRequest('storage with a database that has a name', 'one in memory');
    return openBackend(undefined, rest);
  }
  if (storage === 'opfs') {
    if (shared) throw notShared(name);
    checkHere(name);
  }
  if (!shared) return openBackend(() => take(name, storage), rest);
  return openShared(name, async () => {
    if ((await placeOf(name, storage)) === 'opfs') throw notShared(name);
    // Opened once all that was given is found right: else nobody would close it.
    let opened: Awaited<ReturnType<typeof openIndexedDb>> | undefined;
    const take = async () => ({ store: (opened = await openIndexedDb(name)), release: async () => {} });
    const database = await openBackend(take, rest);
    const store = opened!;
    return {
      database,
      epoch: store.epoch,
      abandon: () => store.abandon(),
      heed: (stored) => {
        store.onStored = stored;
      },
    };
  }, { prepare: () => prepare(rest), openStore: (epoch) => readIndexedDb(name, epoch) });
}

/** Deletes a database that nothing has open; false when there was none. */
export async function deleteHere(name: string): Promise<boolean> {
  const release = await takeLock(name);
  let wasInOpfs: boolean;
  try {
    wasInOpfs = await deleteDirectory(name);
  } catch (error) {
    await release();
    throw error;
  }
  try {
    return (await deleteIndexedDb(name, release)) || wasInOpfs;
  } catch (error) {
    // Where there is no IndexedDB it was in the other place, and is gone.
    if (wasInOpfs && error instanceof KithError && error.code === 'storage_unavailable') return true;
    throw error;
  }
}

/** A name that a database can have. */
export function checkName(name: string): string {
  if (name !== '') return name;
  const [expected, got] = ['at least one character', '""'];
  throw new KithError({ code: 'invalid_name', message: `invalid database name: expected ${expected}`, expected, got });
}

async function take(name: string, storage: Place | undefined): Promise<Taken> {
  const release = await takeLock(name);
  try {
    const place = await placeOf(name, storage);
    return { store: await (place === 'opfs' ? openOpfs(name) : openIndexedDb(name)), release };
  } catch (error) {
    await release();
    throw error;
  }
}
