// Opens databases of this origin on the thread that asks.

import type { BackendDatabase } from './engine/backend.js';
import { KithError } from './errors.js';
import { openIndexedDb } from './wasm/indexeddb.js';
import { takeLock } from './wasm/locks.js';
import { type EngineOptions, type Taken, openBackend } from './wasm/open.js';

/** How a database is opened on this thread. */
export type HereOptions = EngineOptions;

/** Opens a database of a name, or one in memory. */
export async function openHere(name: string | undefined, options: HereOptions = {}): Promise<BackendDatabase> {
  return openBackend(name === undefined ? undefined : () => take(name), options);
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
