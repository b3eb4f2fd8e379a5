// KithDB in Node: the entry of the npm package.

import { encodeString } from './encode.js';
import { openNative, openNativeSync } from './native/addon.js';
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

/** A database in memory, which is gone when it is closed. */
export async function openMemory(options?: OpenOptions): Promise<NodeDatabase> {
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
