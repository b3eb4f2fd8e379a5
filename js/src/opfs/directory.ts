// The directory of a database in the origin private file system: where it is, whether it is there, and how it goes.

import { storageFailed } from '../wasm/errors.js';
import { isNotFound, needsWorker, unavailable } from './errors.js';
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
  /** No file is made in it any more. */
  end(): Promise<void>;
}

/** Refuses where no database of this place can be open. */
export function checkHere(name: string): void {
  if (!('DedicatedWorkerGlobalScope' in globalThis)) throw needsWorker(name);
  if (typeof globalThis.navigator?.storage?.getDirectory !== 'function') throw unavailable('there is none');
  if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) throw unavailable('it has no access handles');
}

/** Whether there is a database of this name. */
export async function isThere(name: string): Promise<boolean> {
  let root: FileSystemDirectoryHandle;
  try {
    root = await navigator.storage.getDirectory();
  } catch {
    // None here, in private browsing for example. If it is hidden for a while only, `keptTwice` tells of it.
    return false;
  }
  try {
    const parent = await root.getDirectoryHandle(PARENT);
    const files = await parent.getDirectoryHandle(await encoded(name));
    return !(await isBeingDeleted(files));
  } catch (error) {
    if (isNotFound(error)) return false;
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
  try {
    const parent = await root.getDirectoryHandle(PARENT, { create: true });
    const own = await encoded(name);
    let files = await parent.getDirectoryHandle(own, { create: true });
    if (await isBeingDeleted(files)) {
      await remove(parent, own, files);
      files = await parent.getDirectoryHandle(own, { create: true });
    }
    await beginFiles(files);
    const check = async (): Promise<void> => void (await parent.getDirectoryHandle(own));
    return { files, check, end: () => endFiles(files) };
  } catch (error) {
    throw storageFailed(`open database ${JSON.stringify(name)}`, error);
  }
}

/** Deletes a database that nothing has open; false when there was none. */
export async function deleteDirectory(name: string): Promise<boolean> {
  if (!(await isThere(name))) return false;
  try {
    const parent = await (await navigator.storage.getDirectory()).getDirectoryHandle(PARENT);
    const own = await encoded(name);
    const files = await parent.getDirectoryHandle(own);
    await files.getFileHandle(DELETING, { create: true });
    await remove(parent, own, files);
    return true;
  } catch (error) {
    throw storageFailed(`delete database ${JSON.stringify(name)}`, error);
  }
}

/** Removes what is marked: the mark last, so that whoever finds half of it does not take that for a database. */
async function remove(parent: FileSystemDirectoryHandle, own: string, files: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = [];
  for await (const name of files.keys()) names.push(name);
  for (const name of names) if (name !== DELETING) await files.removeEntry(name, { recursive: true });
  await parent.removeEntry(own, { recursive: true });
}

async function isBeingDeleted(files: FileSystemDirectoryHandle): Promise<boolean> {
  try {
    await files.getFileHandle(DELETING);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** A name may be longer than that of a directory, or hold what that cannot: it is hashed. */
async function encoded(name: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(name));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
