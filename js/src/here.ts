// Opens databases of this origin on the thread that asks: alone, or together with other tabs.

import { KithError, invalidRequest } from './errors.js';
import type { BackendDatabase } from './engine/backend.js';
import { openShared } from './tabs/tabs.js';
import { deleteIndexedDb, openIndexedDb } from './wasm/indexeddb.js';
import { takeLock } from './wasm/locks.js';
import { type EngineOptions, type Taken, openBackend } from './wasm/open.js';

/** How a database is opened on this thread. */
export interface HereOptions extends EngineOptions {
  /**
   * True to open it together with other tabs and Workers that say so, too. One of them keeps the database and answers the
   * others; when it goes, another one does. All of them are to give the same options.
   */
  shared?: boolean | undefined;
}

/** Opens a database of a name, or one in memory. */
export async function openHere(name: string | undefined, options: HereOptions = {}): Promise<BackendDatabase> {
  const { shared = false, ...rest } = options;
  if (typeof shared !== 'boolean') throw invalidRequest('shared that is true or false', shared);
  if (name === undefined) {
    if (shared) throw invalidRequest('shared with a database that has a name', 'one in memory');
    return openBackend(undefined, rest);
  }
  if (!shared) return openBackend(() => take(name), rest);
  return openShared(name, async () => {
    // Opened once all that was given is found right: else nobody would close it.
    let opened: Awaited<ReturnType<typeof openIndexedDb>> | undefined;
    const take = async () => ({ store: (opened = await openIndexedDb(name)), release: async () => {} });
    const database = await openBackend(take, rest);
    const store = opened!;
    return { database, epoch: store.epoch, abandon: () => store.abandon() };
  });
}

/** Deletes a database that nothing has open; false when there was none. */
export async function deleteHere(name: string): Promise<boolean> {
  return deleteIndexedDb(name, await takeLock(name));
}

/** A name that a database can have. */
export function checkName(name: string): string {
  if (name !== '') return name;
  const [expected, got] = ['at least one character', '""'];
  throw new KithError({ code: 'invalid_name', message: `invalid database name: expected ${expected}`, expected, got });
}

async function take(name: string): Promise<Taken> {
  const release = await takeLock(name);
  try {
    return { store: await openIndexedDb(name), release };
  } catch (error) {
    await release();
    throw error;
  }
}
