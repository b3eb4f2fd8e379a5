// KithDB in Node: the entry of the npm package.

import { encodeString } from './encode.js';
import { KithError } from './errors.js';
import { addon, deleteNative, openNative, openNativeSync } from './native/addon.js';
import { openFallback } from './native/fallback.js';
import type { NodeDatabase, OpenOptions } from './types.js';

export { KithError, type Report } from './errors.js';
export { type ConnectOptions, connect } from './remote/connect.js';
export type * from './types.js';

/**
 * Opens the database in a directory, which is made when it does not exist. One process at a time may have it open:
 * `database_locked` names the one that has.
 */
export async function open(path: string, options?: OpenOptions): Promise<NodeDatabase> {
  return openNative(encodeString('a path', path), options);
}

/**
 * A database in memory, which is gone when it is closed. On a machine without an addon it runs on the browser's engine, where
 * what writes before it returns is `unsupported`.
 */
export async function openMemory(options?: OpenOptions): Promise<NodeDatabase> {
  try {
    addon();
  } catch (error) {
    if (error instanceof KithError) return openFallback(error, options);
    throw error;
  }
  return openNative(undefined, options);
}

/** As `open`, before it returns: for scripts. */
export function openSync(path: string, options?: OpenOptions): NodeDatabase {
  return openNativeSync(encodeString('a path', path), options);
}

/** As `openMemory`, before it returns: for scripts. */
export function openMemorySync(options?: OpenOptions): NodeDatabase {
  return openNativeSync(undefined, options);
}

/**
 * Deletes the database in a directory with everything in it, for good; false when there is no such directory. Close it first:
 * while it is open, here or in another process, this is `database_locked`, and nothing is deleted. Only who reads a directory
 * without a `LOCK` file, such as a copy, holds no lock: it is deleted under him. A directory without a database is refused as
 * `invalid_parameter`, as is a `LOCK` that is a link. Files that are not the database's stay, and the directory with them; then
 * Node warns of it (`directory_kept`).
 */
export async function deleteDatabase(path: string): Promise<boolean> {
  return deleteNative(encodeString('a path', path));
}
