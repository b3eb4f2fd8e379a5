// The files of a database in the origin private file system: one for each object, open for a while, and used again.
//
// A file is named by a number, and what it is stands in its head (`header.ts`). One that is not needed any more is emptied and
// becomes the next object: no file is renamed, and in the long run few are made or removed. That matters, since a browser
// makes durable what a file holds when it is told to, but not its list of files (Chromium keeps that in a LevelDB, which it
// does not sync): a power cut may take a file that was made a moment before, with all that was flushed in it.
//
// Only a few files are open at a time. A file with bytes that are not flushed is open. Once the browser has cleared the
// directory none is closed any more: Chromium 148 never returns from that. So whoever has files closed looks for it first.

import { unsupportedVersion } from '../wasm/errors.js';
import type { Directory } from './directory.js';
import { ambiguous, isNotFound, unsynced } from './errors.js';
import { DATA, FORMAT, HEAD_BYTES, type Head, decodeHead, encodeHead } from './header.js';
import { whileHeld } from './held.js';

/** A file that is open to be read and written; nobody else can open it meanwhile. */
export interface Handle {
  read(bytes: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(bytes: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** A file handle as a dedicated Worker has it. */
interface Openable extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<Handle>;
}

/** So many files are open at a time. */
const OPEN_MAX = 32;

/** So many are looked at side by side when a database is opened. */
const SCANNED_AT_ONCE = 16;

/** So many empty files are kept. */
const SPARE_MAX = 64;

/** A file. */
export class ObjectFile {
  readonly name: string;
  /** None while it is empty, or its object is not whole. */
  head: Head | undefined;
  /** Bytes of its object. */
  size = 0;
  /** It is not there any more. */
  isRemoved = false;

  constructor(name: string) {
    this.name = name;
  }
}

/** The files in a directory. */
export class Files {
  readonly #database: string;
  readonly #place: Directory;
  readonly #directory: FileSystemDirectoryHandle;
  /** The one that was used last is the last. */
  readonly #open = new Map<ObjectFile, Handle>();
  /** Written, and not flushed. */
  readonly #dirty = new Set<ObjectFile>();
  #spare: ObjectFile[] = [];
  #nextName = 0;
  #nextBirth = 1;

  /** `database` is the name for people. */
  constructor(database: string, place: Directory) {
    this.#database = database;
    this.#place = place;
    this.#directory = place.files;
  }

  /** Reads all heads, and answers the files with an object, in the order in which they were made. */
  async scan(): Promise<ObjectFile[]> {
    this.close();
    this.#spare = [];
    const names: string[] = [];
    for await (const name of this.#directory.keys()) if (/^(0|[1-9]\d*)$/.test(name)) names.push(name);
    const [whole, begun]: [ObjectFile[], ObjectFile[]] = [[], []];
    for (let at = 0; at < names.length; at += SCANNED_AT_ONCE) {
      const looking = names.slice(at, at + SCANNED_AT_ONCE).map((name) => this.#look(name));
      // All of them, also where one fails: nothing is opened behind the back of whoever closes this then.
      for (const looked of await Promise.allSettled(looking)) {
        if (looked.status === 'rejected') throw looked.reason;
        if (looked.value) (looked.value.head ? whole : begun).push(looked.value);
      }
    }
    // Files that are not there are missed by the core, unless all of them have gone: then none is closed.
    await this.#place.check();
    // Nothing is changed before all is found to be of a version that is known.
    // A new directory begins with later names than a cleared one had, whose files may still be open somewhere.
    this.#nextName = names.length === 0 ? Date.now() : names.reduce((max, name) => Math.max(max, Number(name)), 0) + 1;
    this.#nextBirth = whole.reduce((next, { head }) => Math.max(next, head!.birth + 1), this.#nextBirth);
    whole.sort((a, b) => a.head!.birth - b.head!.birth);
    // Each is made after the one before it: of two that were made at once nobody could say which is the newer.
    const twin = whole.findIndex(({ head }, i) => head!.birth === whole[i - 1]?.head!.birth);
    if (twin > 0) throw ambiguous(this.#database, whole[twin]!.name, whole[twin - 1]!.name);
    // For good, before any number or birth is given again: what was emptied in an earlier life could come back by a power cut.
    for (const file of begun) await this.empty(file, true);
    return whole;
  }

  /**
   * A file as it is found; none where its head is damaged, which stays as it is, or where the browser has lost it: what it was is
   * missed by the core.
   */
  async #look(name: string): Promise<ObjectFile | undefined> {
    const file = new ObjectFile(name);
    let handle: Handle;
    try {
      handle = await this.#handle(file);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    const head = new Uint8Array(HEAD_BYTES);
    const found = decodeHead(head.subarray(0, handle.read(head, { at: 0 })));
    if (found === 'damaged') return undefined;
    if (found === 'begun') return file;
    if ('format' in found) throw unsupportedVersion(this.#database, `format ${FORMAT}`, `format ${found.format}`);
    file.head = found;
    file.size = Math.max(handle.getSize() - DATA, 0);
    // An earlier life may have written it and not flushed it. What blobs hold is flushed before anything names them.
    if (found.kind !== 'blob') this.#dirty.add(file);
    return file;
  }

  /** An empty file for a new object, which it is once it gets its head. */
  async begin(): Promise<ObjectFile> {
    // The oldest, which a power cut is least likely to take.
    if (this.#spare.length === 0) await this.#place.begin();
    const file = this.#spare.shift() ?? new ObjectFile(String(this.#nextName++));
    truncate(await this.#handle(file, true), 0);
    file.head = undefined;
    file.size = 0;
    return file;
  }

  /** Makes a file the object whose bytes were written to it. */
  async finish(file: ObjectFile, what: Omit<Head, 'birth'>): Promise<void> {
    const head = { ...what, birth: this.#nextBirth++ };
    await this.#put(file, encodeHead(head), 0);
    file.head = head;
  }

  /** Writes bytes of an object at an offset in it. */
  async write(file: ObjectFile, bytes: Uint8Array, at: number): Promise<void> {
    await this.#put(file, bytes, DATA + at);
    file.size = Math.max(file.size, at + bytes.length);
  }

  async #put(file: ObjectFile, bytes: Uint8Array, at: number): Promise<void> {
    const handle = await this.#handle(file);
    this.#dirty.add(file);
    const written = handle.write(bytes, { at });
    if (written !== bytes.length) throw unwritten(written);
  }

  /** The bytes of an object from an offset on; fewer where it ends. */
  async read(file: ObjectFile, at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const handle = await this.#handle(file);
    const bytes = new Uint8Array(Math.min(length, Math.max(file.size - at, 0)));
    return bytes.subarray(0, handle.read(bytes, { at: DATA + at }));
  }

  /** Cuts an object off at an offset. */
  async cut(file: ObjectFile, at: number): Promise<void> {
    const handle = await this.#handle(file);
    this.#dirty.add(file);
    truncate(handle, DATA + at);
    file.size = at;
  }

  /**
   * Takes an object away and closes its file, which is one for the next. What was refused is to be gone for good: its number is
   * given again. What is removed need not be, since nothing takes its place.
   */
  async empty(file: ObjectFile, isRefused = false): Promise<void> {
    if (file.isRemoved || this.#spare.includes(file)) return;
    file.head = undefined;
    file.size = 0;
    truncate(await this.#handle(file), 0);
    if (isRefused) this.#dirty.add(file);
    else this.#dirty.delete(file);
    // What it was given of the quota goes back.
    this.#shut(file);
    if (this.#spare.length < SPARE_MAX || !(await this.#canRemove())) {
      this.#spare.push(file);
    } else {
      await this.#directory.removeEntry(file.name);
      file.isRemoved = true;
    }
  }

  #canRemove(): Promise<boolean> {
    return this.#place.begin().then(() => true, () => false);
  }

  /** Makes durable all that was written. */
  flush(): void {
    for (const file of this.#dirty) this.#sync(file);
  }

  /** Closes what is not used for long. */
  closeIdle(): void {
    // What is written to again and again stays open. For all others a browser would keep room that they do not need.
    for (const file of [...this.#open.keys()]) if (file.head?.kind !== 'log') this.#shut(file);
  }

  /** Closes all files, also where one of them fails. */
  close(): void {
    const failures: unknown[] = [];
    for (const file of [...this.#open.keys()]) {
      try {
        this.#shut(file);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Lets go of all files without closing them. */
  abandon(): void {
    this.#open.clear();
    this.#dirty.clear();
  }

  /** A file, open; it is closed when so many others were asked for since, never in the turn in which it is answered. */
  async #handle(file: ObjectFile, create = false): Promise<Handle> {
    const open = this.#open.get(file);
    if (open) {
      this.#open.delete(file);
      this.#open.set(file, open);
      return open;
    }
    const entry = (await this.#directory.getFileHandle(file.name, { create })) as Openable;
    const handle = await whileHeld(this.#database, () => entry.createSyncAccessHandle());
    this.#open.set(file, handle);
    if (this.#open.size > OPEN_MAX) this.#shut(this.#open.keys().next().value!);
    return handle;
  }

  #shut(file: ObjectFile): void {
    try {
      this.#sync(file);
    } finally {
      this.#open.get(file)?.close();
      this.#open.delete(file);
      this.#dirty.delete(file);
    }
  }

  #sync(file: ObjectFile): void {
    if (!this.#dirty.has(file)) return;
    try {
      this.#open.get(file)!.flush();
    } catch (error) {
      throw unsynced(error);
    }
    this.#dirty.delete(file);
  }
}

/** In a private window Chromium 148 says nothing where this fails. */
function truncate(handle: Handle, bytes: number): void {
  handle.truncate(bytes);
  if (handle.getSize() !== bytes) throw new DOMException('a file could not be cut', 'UnknownError');
}

/** By Chromium's numbers of errors. */
const NO_SPACE = -8;

/**
 * Where a write is to throw, Chromium 148 answers in a private window the number of its error, which is negative, without the
 * sign, and has written what there was room for.
 */
function unwritten(written: number): DOMException {
  const error = written | 0;
  if (error >= 0 || error === NO_SPACE) return new DOMException('there was room for a part only', 'QuotaExceededError');
  return new DOMException(`a write failed with error ${error}`, 'UnknownError');
}
