// KithDB in a browser: the entry of the npm package for pages and Workers, and for wasm in Node.

import { encodeString } from './encode.js';
import { KithError } from './errors.js';
import type { LocalDatabase } from './types.js';
import { openIndexedDb } from './wasm/indexeddb.js';
import { takeLock } from './wasm/locks.js';
import { type BrowserOptions, type Taken, openWasm } from './wasm/open.js';

export { KithError, type Report } from './errors.js';
export { type ConnectOptions, connect } from './remote/connect.js';
export type * from './types.js';
export type { EmbedderFiles } from './wasm/embedder.js';
export type { WasmSource } from './wasm/module.js';
export type { BrowserOptions } from './wasm/open.js';

/**
 * Opens a database of this origin, kept in IndexedDB and made when it does not exist. One tab or Worker at a time may
 * have it open: the others get `database_locked`.
 */
export async function open(name: string, options?: BrowserOptions): Promise<LocalDatabase> {
  const checked = encodeString('a name', name);
  if (checked === '') {
    const [expected, got] = ['at least one character', '""'];
    throw new KithError({ code: 'invalid_name', message: `invalid database name: expected ${expected}`, expected, got });
  }
  return openWasm(() => take(checked), options);
}

/** A database in memory, which is gone when it is closed. */
export async function openMemory(options?: BrowserOptions): Promise<LocalDatabase> {
  return openWasm(undefined, options);
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
