// The directory of a database in the origin private file system: where it is, whether it is there, and how it goes.

import { storageFailed } from '../wasm/errors.js';
import { hasFile } from './entries.js';
import { isNotFound, isOfAnotherKind, needsWorker, unavailable, waits } from './errors.js';
import type { Handle } from './files.js';
import { HEAD_BYTES, decodeHead } from './header.js';
import { whileHeld } from './held.js';
import { beginFiles, endFiles } from './pathslog.js';

/** The directory in which those of all databases are. */
const PARENT = 'kithdb';

/** A file that says: what is beside it is being deleted, and is no database any more. */
const DELETING = 'deleting';

/** The directory of a database. */
export interface Directory {
  readonly files: FileSystemDirectoryHandle;
  /** Fails with a `NotFoundError` once the browser has cleared it: what is open there is written without a word. */
  check(): Promise<void>;
  /** To be called before a file is made or removed: does what there was no room for when it was opened. */
  begin(): Promise<void>;
  /** No file is made in it any more. If it was made for this opening and nothing is stored in it, it goes. */
  end(): Promise<void>;
}

/** A directory, where it is, and its name there. */
interface Found {
  parent: FileSystemDirectoryHandle;
  own: string;
  files: FileSystemDirectoryHandle;
}

/** Refuses where no database of this place can be open. */
export function checkHere(name: string): void {
  if (!('DedicatedWorkerGlobalScope' in globalThis)) throw needsWorker(name);
  if (typeof globalThis.navigator?.storage?.getDirectory !== 'function') throw unavailable('there is none');
  if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) throw unavailable('it has no access handles');
  if (haveToWait()) throw waits(name);
}

/**
 * Whether the methods of access handles answer promises, as in browsers before there was a standard: what is called on something
 * else fails there by a promise, too, and elsewhere at once. So nothing has to be made to know it.
 */
function haveToWait(): boolean {
  const { FileSystemSyncAccessHandle } = globalThis as unknown as { FileSystemSyncAccessHandle: { prototype: Handle } };
  try {
    const answer: unknown = FileSystemSyncAccessHandle.prototype.getSize.call({});
    if (answer instanceof Promise) answer.catch(() => {});
    return answer instanceof Promise;
  } catch {
    return false;
  }
}

/** A browser may fail once: it is asked so often before it is taken to have no such file system, and so many milliseconds apart. */
const [ASKED, ASKED_MS] = [3, 50];

/** Whether there is a database of this name. */
export async function isThere(name: string): Promise<boolean> {
  const found = await findDirectory(name);
  try {
    return found !== undefined && !(await hasFile(found.files, DELETING));
  } catch (error) {
    throw storageFailed(`look for database ${JSON.stringify(name)}`, error);
  }
}

/** The root of the file system; none where the browser has none, in private browsing for example. */
async function rootOrNone(): Promise<FileSystemDirectoryHandle | undefined> {
  if (typeof globalThis.navigator?.storage?.getDirectory !== 'function') return undefined;
  for (let asked = 1; ; asked += 1) {
    try {
      return await navigator.storage.getDirectory();
    } catch {
      // If it is hidden for longer only, `keptTwice` tells of it.
      if (asked === ASKED) return undefined;
      await new Promise((again) => setTimeout(again, ASKED_MS));
    }
  }
}

/** The directory of a name and the one that it is in, be it deleted by half or not; none where there is none. */
async function findDirectory(name: string): Promise<Found | undefined> {
  const root = await rootOrNone();
  return root && findIn(root, name);
}

async function findIn(root: FileSystemDirectoryHandle, name: string): Promise<Found | undefined> {
  try {
    const parent = await root.getDirectoryHandle(PARENT);
    const own = await encoded(name);
    return { parent, own, files: await parent.getDirectoryHandle(own) };
  } catch (error) {
    if (isNotFound(error) || isOfAnotherKind(error)) return undefined;
    throw storageFailed(`look for database ${JSON.stringify(name)}`, error);
  }
}

/** The directory of a database, which is made when there is none. */
export async function openDirectory(name: string): Promise<Directory> {
  checkHere(name);
  let root: FileSystemDirectoryHandle;
  try {
    root = await navigator.storage.getDirectory();
  } catch (error) {
    throw unavailable(error);
  }
  let made: Found | undefined;
  try {
    const before = await findIn(root, name);
    const isBroken = before !== undefined && (await hasFile(before.files, DELETING));
    if (isBroken) await remove(name, before);
    const parent = await root.getDirectoryHandle(PARENT, { create: true });
    const own = await encoded(name);
    const files = await parent.getDirectoryHandle(own, { create: true });
    if (before === undefined || isBroken) made = { parent, own, files };
    let isBegun = false;
    const begin = async (): Promise<void> => {
      if (!isBegun) await beginFiles(files);
      isBegun = true;
    };
    // A full disk keeps nobody from what is stored.
    await begin().catch((error: unknown) => {
      if (made || (error as DOMException).name !== 'QuotaExceededError') throw error;
    });
    const check = async (): Promise<void> => void (await parent.getDirectoryHandle(own));
    const end = async (): Promise<void> => {
      await endFiles(files);
      if (made) await undo(name, made);
    };
    return { files, check, begin, end };
  } catch (error) {
    if (made) await undo(name, made);
    throw storageFailed(`open database ${JSON.stringify(name)}`, error);
  }
}

/** Deletes a database that nothing has open, or goes on where that ended half-way; false when there was none. */
export async function deleteDirectory(name: string): Promise<boolean> {
  const found = await findDirectory(name);
  if (found === undefined) return false;
  try {
    await found.files.getFileHandle(DELETING, { create: true });
    await remove(name, found);
    return true;
  } catch (error) {
    throw storageFailed(`delete database ${JSON.stringify(name)}`, error);
  }
}

/** Removes a directory that was made for an opening that stored nothing: the name would be bound to this place. */
async function undo(database: string, made: Found): Promise<void> {
  try {
    for await (const entry of made.files.values()) {
      const file = await (entry as FileSystemFileHandle).getFile();
      const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
      if (decodeHead(head) !== 'begun') return;
    }
    // The one that it is in stays: another database may be made there just now.
    await remove(database, made);
  } catch {
    // Then an empty database stays. Whoever opened it was told of what failed first.
  }
}

/** Removes what is marked or empty: the mark last, so that whoever finds half of it does not take that for a database. */
async function remove(database: string, { parent, own, files }: Found): Promise<void> {
  const names: string[] = [];
  for await (const name of files.keys()) names.push(name);
  for (const name of names) {
    if (name !== DELETING) await whileHeld(database, () => files.removeEntry(name, { recursive: true }));
  }
  await whileHeld(database, () => parent.removeEntry(own, { recursive: true }));
}

/** A name may be longer than that of a directory, or hold what that cannot: it is hashed. */
async function encoded(name: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(name));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
