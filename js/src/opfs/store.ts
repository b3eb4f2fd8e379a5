// The store in the origin private file system: what each kind of work does to the files of a database.
//
// A crash leaves a prefix of the work of a batch, in order, the last of it perhaps by half. That is enough: the core queues
// work in an order in which it may stop anywhere (on a disk each piece is a step of its own, and its crash tests stop at every
// one), what is torn has a checksum of the core, and a new object is none before it is whole. A batch that is refused is
// another matter, since its writes are answered as not stored: it is taken back. So it is whole or not at all for who is told.
//
// What a flip names is durable before the pointer is set, the pointer before anything is removed.

import { KithError } from '../errors.js';
import { closed, storageLost } from '../wasm/errors.js';
import { type Batch, CATALOG, type Snapshot, type StorageSnapshot, type Work } from '../wasm/module.js';
import type { Overview, Store } from '../wasm/store.js';
import { type Directory, openDirectory } from './directory.js';
import { failed, isNotFound } from './errors.js';
import { Files, type ObjectFile } from './files.js';
import { POINTER_BYTES, type Pointed, decodePointer, encodeEntry, entryAt } from './header.js';

/** A blob is read in pieces of so many bytes. */
const PIECE_BYTES = 4 * 2 ** 20;

/** The objects of a storage. */
interface Objects {
  pointer: ObjectFile | undefined;
  pointed: Pointed | undefined;
  /** By generation. */
  manifests: Map<number, ObjectFile>;
  logs: Map<number, ObjectFile>;
  /** By number and type. */
  blobs: Map<string, ObjectFile>;
  /** Blobs of which not all pieces have come. */
  begun: Map<string, ObjectFile>;
  tails: ObjectFile[];
}

/** What a batch did: how it is taken back, and what is to be emptied once nothing can fail any more. */
interface Done {
  undo: (() => Promise<void>)[];
  removed: ObjectFile[];
}

type WorkOf<Kind extends Work['kind']> = Extract<Work, { kind: Kind }>;

/**
 * Opens the store of a database of which the lock is held. That is all it takes to have it alone: where this file system is,
 * there are locks, and nobody else can open its files while they are open here. So there is no epoch.
 */
export async function openOpfs(name: string): Promise<Store> {
  return storeIn(await openDirectory(name), name);
}

/** The store in a directory that nobody else uses. */
export function storeIn(directory: Directory, name: string): Store {
  return new OpfsStore(directory, new Files(name, directory));
}

class OpfsStore implements Store {
  onLost: ((error: KithError) => void) | undefined;
  readonly #directory: Directory;
  readonly #files: Files;
  #storages = new Map<number, Objects>();
  #lost: KithError | undefined;
  /** Resolves when what was asked for last is done. One thing at a time: no file can be opened twice. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: Directory, files: Files) {
    this.#directory = directory;
    this.#files = files;
  }

  snapshot(): Promise<Snapshot> {
    return this.#guarded('read the database', async () => {
      await this.#directory.check();
      this.#storages = new Map();
      for (const file of await this.#files.scan()) {
        const older = this.#keep(file);
        if (older) await this.#files.empty(older);
      }
      const storages: StorageSnapshot[] = [];
      for (const [number, objects] of this.#storages) storages.push(await this.#stored(number, objects));
      return { storages: storages.sort((a, b) => a.number - b.number) };
    });
  }

  read(storage: number, blob: number, take: (offset: number, bytes: Uint8Array) => void): Promise<void> {
    return this.#guarded('read a blob', () => this.#read(this.#at(storage), blob, take));
  }

  overview(): Promise<Overview> {
    return this.#guarded('read the database', async () => {
      const all = [...this.#storages.values()];
      const objects = all.reduce((sum, { manifests, logs, blobs }) => sum + manifests.size + logs.size + blobs.size, 0);
      const others = [...this.#storages.keys()].filter((number) => number !== CATALOG).sort((a, b) => a - b);
      return { catalog: await this.#storedOrNone(CATALOG), others, objects };
    });
  }

  snapshotOf(storage: number): Promise<StorageSnapshot | undefined> {
    return this.#guarded('read a collection', async () => {
      const stored = await this.#storedOrNone(storage);
      await this.#closeIdle();
      return stored;
    });
  }

  readAt(storage: number, current: number | null, blob: number, take: (offset: number, bytes: Uint8Array) => void): Promise<boolean> {
    return this.#guarded('read a blob', async () => {
      const objects = this.#storages.get(storage);
      if (!objects || (objects.pointed?.generation ?? null) !== current) return false;
      await this.#read(objects, blob, take);
      await this.#closeIdle();
      return true;
    });
  }

  commit(batch: Batch): Promise<void> {
    return this.#guarded('store a write', async () => {
      const done: Done = { undo: [], removed: [] };
      try {
        for (const work of batch.work) await this.#do(work, done);
        if (batch.strict) this.#files.flush();
        if (batch.strict || done.removed.length > 0) await this.#directory.check();
      } catch (error) {
        if (!isNotFound(error)) await this.#takeBack(done, error);
        throw error;
      }
      if (batch.strict) this.#files.closeIdle();
      for (const file of done.removed) {
        // What is not emptied is found by the next snapshot, and removed once more.
        await this.#files.empty(file).catch(() => {});
      }
    });
  }

  async close(): Promise<void> {
    this.#lost ??= closed('database');
    await this.#last;
    try {
      this.#files.close();
    } catch {
      // What was to be durable was made so before, and whoever waited for it was told.
    }
    await this.#directory.end();
  }

  #guarded<T>(action: string, work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => this.#tried(action, work));
    this.#last = done.catch(() => {});
    return done;
  }

  async #tried<T>(action: string, work: () => Promise<T>): Promise<T> {
    if (this.#lost) throw this.#lost;
    try {
      return await work();
    } catch (error) {
      const told = failed(action, error);
      if (isNotFound(error)) this.#files.abandon();
      if (told.code === 'storage_lost') this.#lost ??= told;
      throw this.#lost ?? told;
    }
  }

  /** After this the objects here are not those of the files: the next thing that is asked for is a snapshot. */
  async #takeBack({ undo }: Done, why: unknown): Promise<void> {
    try {
      await this.#directory.check();
      for (const step of undo.reverse()) await step();
      // A power cut brings nothing of it back, either.
      this.#files.flush();
    } catch (error) {
      if (isNotFound(error)) throw error;
      this.#lost = storageLost(`a write failed and could not be taken back: ${failed('store a write', why).message}`);
    }
  }

  #at(storage: number): Objects {
    const found = this.#storages.get(storage);
    if (found) return found;
    const [manifests, logs] = [new Map<number, ObjectFile>(), new Map<number, ObjectFile>()];
    const [blobs, begun] = [new Map<string, ObjectFile>(), new Map<string, ObjectFile>()];
    const empty = { pointer: undefined, pointed: undefined, manifests, logs, blobs, begun, tails: [] };
    this.#storages.set(storage, empty);
    return empty;
  }

  /** Takes an object up; answers the one in whose place it is. */
  #keep(file: ObjectFile): ObjectFile | undefined {
    const { kind, storage, number, detail } = file.head!;
    const objects = this.#at(storage);
    switch (kind) {
      case 'pointer': {
        const before = objects.pointer;
        objects.pointer = file;
        return before;
      }
      case 'manifest':
        return replaced(objects.manifests, number, file);
      case 'log':
        return replaced(objects.logs, number, file);
      case 'blob':
        return replaced(objects.blobs, blobKey(number, detail), file);
      case 'tail':
        objects.tails.push(file);
        return undefined;
    }
  }

  /** What a check has read stays open no longer than what was written: the browser keeps room for it. */
  async #closeIdle(): Promise<void> {
    await this.#directory.check();
    this.#files.closeIdle();
  }

  async #read({ blobs }: Objects, blob: number, take: (offset: number, bytes: Uint8Array) => void): Promise<void> {
    for (const file of blobs.values()) {
      if (file.head?.number !== blob) continue;
      for (let at = 0; at < file.size; at += PIECE_BYTES) take(at, await this.#files.read(file, at, PIECE_BYTES));
    }
  }

  async #storedOrNone(number: number): Promise<StorageSnapshot | undefined> {
    const objects = this.#storages.get(number);
    return objects && this.#stored(number, objects);
  }

  async #stored(number: number, objects: Objects): Promise<StorageSnapshot> {
    const { pointer, manifests, logs, blobs } = objects;
    objects.pointed = pointer && decodePointer(await this.#files.read(pointer, 0, POINTER_BYTES));
    const read = async (files: Map<number, ObjectFile>): Promise<{ generation: number; bytes: Uint8Array }[]> => {
      const all: { generation: number; bytes: Uint8Array }[] = [];
      for (const [generation, file] of files) all.push({ generation, bytes: await this.#files.read(file, 0, file.size) });
      return all.sort((a, b) => a.generation - b.generation);
    };
    return {
      number,
      current: objects.pointed?.generation ?? null,
      manifests: await read(manifests),
      logs: await read(logs),
      blobs: [...blobs.values()].map(({ head, size }) => ({ blob: head!.number, type: head!.detail, length: size })),
      // Of what was begun nothing is left: its files are empty again.
      leftovers: [],
    };
  }

  async #do(work: Work, done: Done): Promise<void> {
    switch (work.kind) {
      case 'log': {
        const { storage, generation: number, bytes } = work;
        // Every earlier log is durable before there is another, and its beginning before anything is behind that.
        this.#files.flush();
        await this.#make({ kind: 'log', storage, number, detail: 0 }, bytes, done);
        return this.#files.flush();
      }
      case 'append': {
        const log = this.#log(work);
        await this.#write(log, work.bytes, log.size, done);
        return;
      }
      case 'setAside':
        return this.#setAside(work, done);
      case 'blob':
        return this.#piece(work, done);
      case 'flip':
        return this.#flip(work, done);
      case 'sync':
        return;
      default:
        this.#remove(work, done);
    }
  }

  #log({ storage, generation }: WorkOf<'append' | 'setAside'>): ObjectFile {
    const log = this.#at(storage).logs.get(generation);
    if (log) return log;
    throw new KithError({ code: 'internal', message: `log ${generation} of storage ${storage} was not begun` });
  }

  /** Writes at an offset that is the end, or behind which nothing is needed. */
  async #write(file: ObjectFile, bytes: Uint8Array, at: number, { undo }: Done): Promise<void> {
    undo.push(() => this.#files.cut(file, at));
    await this.#files.write(file, bytes, at);
  }

  async #begin({ undo }: Done): Promise<ObjectFile> {
    const file = await this.#files.begin();
    undo.push(() => this.#files.empty(file, true));
    return file;
  }

  async #finish(file: ObjectFile, what: Parameters<Files['finish']>[1], { removed }: Done): Promise<void> {
    await this.#files.finish(file, what);
    const older = this.#keep(file);
    if (older) removed.push(older);
  }

  /** A new object. */
  async #make(what: Parameters<Files['finish']>[1], bytes: Uint8Array, done: Done): Promise<void> {
    const file = await this.#begin(done);
    await this.#files.write(file, bytes, 0);
    await this.#finish(file, what, done);
  }

  /** The tail is durable elsewhere before it is cut off. Nobody needs it, so that stays done if the batch is taken back. */
  async #setAside(work: WorkOf<'setAside'>, done: Done): Promise<void> {
    const log = this.#log(work);
    const tail = await this.#files.read(log, work.from, log.size);
    if (tail.length === 0) return;
    const what = { kind: 'tail', storage: work.storage, number: work.generation, detail: work.from } as const;
    const kept: Done = { undo: [], removed: done.removed };
    try {
      await this.#make(what, tail, kept);
    } catch (error) {
      done.undo.push(...kept.undo);
      throw error;
    }
    this.#files.flush();
    await this.#files.cut(log, work.from);
    this.#files.flush();
  }

  async #piece(work: WorkOf<'blob'>, done: Done): Promise<void> {
    const { storage, blob: number, type: detail, offset, total, bytes } = work;
    const { begun } = this.#at(storage);
    const key = blobKey(number, detail);
    if (offset === 0) {
      const older = replaced(begun, key, await this.#begin(done));
      if (older) done.removed.push(older);
    }
    const file = begun.get(key);
    if (!file) throw new KithError({ code: 'internal', message: `blob ${number} of storage ${storage} was not begun` });
    // Pieces of earlier batches are worth nothing without this one.
    if (offset > 0) done.undo.push(() => this.#files.empty(file, true));
    await this.#files.write(file, bytes, offset);
    if (offset + bytes.length < total) return;
    await this.#finish(file, { kind: 'blob', storage, number, detail }, done);
    begun.delete(key);
  }

  async #flip({ storage, generation, bytes }: WorkOf<'flip'>, done: Done): Promise<void> {
    await this.#make({ kind: 'manifest', storage, number: generation, detail: 0 }, bytes, done);
    this.#files.flush();
    const objects = this.#at(storage);
    const pointed = { count: (objects.pointed?.count ?? 0) + 1, generation };
    const at = entryAt(pointed.count);
    const entry = encodeEntry(pointed);
    if (objects.pointer) {
      const { pointer } = objects;
      const { size } = pointer;
      const before = await this.#files.read(pointer, at, entry.length);
      done.undo.push(async () => {
        await this.#files.write(pointer, before, at);
        // One that was cut off stays so: zeros would say that there was no entry.
        if (pointer.size > size) await this.#files.cut(pointer, size);
        this.#files.flush();
      });
      await this.#files.write(pointer, entry, at);
    } else {
      const first = new Uint8Array(POINTER_BYTES);
      first.set(entry, at);
      await this.#make({ kind: 'pointer', storage, number: 0, detail: 0 }, first, done);
    }
    this.#files.flush();
    objects.pointed = pointed;
  }

  /** Only takes out of the lists: the files are emptied once the batch is stored. */
  #remove(work: WorkOf<'removeManifest' | 'removeLog' | 'removeBlob' | 'removeStorage'>, { removed }: Done): void {
    const { pointer, manifests, logs, blobs, begun, tails } = this.#at(work.storage);
    const drop = <Key>(files: Map<Key, ObjectFile>, key: Key): void => {
      const file = files.get(key);
      if (file) removed.push(file);
      files.delete(key);
    };
    switch (work.kind) {
      case 'removeManifest':
        return drop(manifests, work.generation);
      case 'removeLog':
        return drop(logs, work.generation);
      case 'removeBlob':
        drop(blobs, blobKey(work.blob, work.type));
        return drop(begun, blobKey(work.blob, work.type));
      case 'removeStorage':
        for (const files of [manifests, logs, blobs, begun]) removed.push(...files.values());
        removed.push(...tails, ...(pointer ? [pointer] : []));
        this.#storages.delete(work.storage);
    }
  }
}

function blobKey(number: number, type: number): string {
  return `${number} ${type}`;
}

/** Puts a file under a key; answers the one that was there. */
function replaced<Key>(files: Map<Key, ObjectFile>, key: Key, file: ObjectFile): ObjectFile | undefined {
  const before = files.get(key);
  files.set(key, file);
  return before;
}
