// KithDB in a browser: the entry of the npm package for pages and Workers, and for wasm in Node.

import { encodeString } from './encode.js';
import { EngineDatabase } from './engine/database.js';
import { checkEmbed } from './engine/embed.js';
import { checkName, deleteHere, openHere } from './here.js';
import type { Database, LocalDatabase } from './types.js';
import { type BrowserOptions, type LocalOptions, openInWorker } from './worker/start.js';

export { KithError, type Report } from './errors.js';
export { type ConnectOptions, connect } from './remote/connect.js';
export type * from './types.js';
export type { EmbedderFiles } from './wasm/embedder.js';
export type { WasmSource } from './wasm/module.js';
export type { BrowserOptions, LocalOptions } from './worker/start.js';

/**
 * Opens a database of this origin, kept in IndexedDB or, where `storage` said so when it was made, in the origin private file
 * system; made when it does not exist. One tab or Worker at a time may have it open: the others get `database_locked`,
 * unless all of them share it.
 */
export async function open(name: string, options?: LocalOptions): Promise<LocalDatabase>;
export async function open(name: string, options: BrowserOptions): Promise<Database>;
export async function open(name: string, options?: BrowserOptions): Promise<Database> {
  return opened(checkName(encodeString('a name', name)), options);
}

/** A database in memory, which is gone when it is closed. */
export async function openMemory(options?: LocalOptions): Promise<LocalDatabase>;
export async function openMemory(options: BrowserOptions): Promise<Database>;
export async function openMemory(options?: BrowserOptions): Promise<Database> {
  return opened(undefined, options);
}

/**
 * Deletes a database of this origin with everything in it, for good; false when there was none. Close it first: while it is
 * open, here or in another tab or Worker, this is `database_locked`, and nothing is deleted. Where something that is not of this
 * package has it open and does not let go, it is `delete_pending`: the browser deletes it once that has ended.
 */
export async function deleteDatabase(name: string): Promise<boolean> {
  return deleteHere(checkName(encodeString('a name', name)));
}

async function opened(name: string | undefined, options: BrowserOptions = {}): Promise<LocalDatabase> {
  const { worker = false, embed, ...rest } = options;
  const checked = checkEmbed(embed);
  // What stands in for an engine of this thread has none of the verbs that answer before they return, and says so.
  // Texts are embedded on this side, wherever the engine is.
  return new EngineDatabase(await (worker === false ? openHere(name, rest) : openInWorker(worker, name, rest)), checked);
}
