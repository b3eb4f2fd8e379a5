// The addon as Rust exports it (bindings-node), and databases opened through it.

import { encodeRequest } from '../encode.js';
import { type BackendDatabase, call, wait } from '../engine/backend.js';
import { EngineDatabase } from '../engine/database.js';
import { checkEmbed } from '../engine/embed.js';
import type { NodeDatabase, OpenOptions } from '../types.js';
import type { NativeInspection } from './inspection.js';
import { loadAddon } from './loader.js';
import { thisMachine } from './platform.js';
import { version } from './version.js';

interface Addon {
  NativeDatabase: {
    open(options: string): Promise<BackendDatabase>;
    openSync(options: string): BackendDatabase;
    delete(path: string): Promise<{ remark?: string } | null>;
  };
  NativeInspection: { open(path: string): Promise<NativeInspection> };
}

let loaded: Addon | undefined;

/** The addon, loaded at its first use. */
export function addon(): Addon {
  loaded ??= loadAddon<Addon>({ machine: thisMachine(), version: version(), load: (path) => require(path) as unknown });
  return loaded;
}

/** Opens a database in a directory; undefined for one in memory. */
export async function openNative(path: string | undefined, { embed, ...options }: OpenOptions = {}): Promise<NodeDatabase> {
  const [checked, request] = [checkEmbed(embed), encodeRequest({ ...options, path })];
  return new EngineDatabase(await wait(() => addon().NativeDatabase.open(request)), checked);
}

/** As `openNative`, before it returns. */
export function openNativeSync(path: string | undefined, { embed, ...options }: OpenOptions = {}): NodeDatabase {
  const [checked, request] = [checkEmbed(embed), encodeRequest({ ...options, path })];
  return new EngineDatabase(call(() => addon().NativeDatabase.openSync(request)), checked);
}

/** Deletes the database in a directory; false when there is no such directory. What stays of it is warned of. */
export async function deleteNative(path: string): Promise<boolean> {
  const deleted = await wait(() => addon().NativeDatabase.delete(path));
  if (!deleted) return false;
  if (deleted.remark) process.emitWarning(deleted.remark, { code: 'directory_kept' });
  return true;
}
