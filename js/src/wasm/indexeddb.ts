// The store in IndexedDB. Each batch is one transaction, which first looks whether the database is still ours.

import { deletePending, fenced, storageFailed, storageLost, storageUnavailable, unsupportedVersion } from './errors.js';
import { FORMAT, STORES, apply, create, overview, readBlob, snapshot, snapshotOf } from './layout.js';
import { markWriting, markWritten, renewLog } from './levellog.js';
import type { Batch, Snapshot, StorageSnapshot, Work } from './module.js';
import type { Overview, ReadStore, Store } from './store.js';
import { result, startingWith, transact } from './transactions.js';
import type { KithError } from '../errors.js';

/** Version of the IndexedDB database: which object stores there are. */
const VERSION = 1;

/** Names of databases and locks begin so. */
export const PREFIX = 'kithdb:';

/** A store of one of several openings of its database. */
export interface EpochStore extends Store {
  /** The number of the opening. */
  readonly epoch: number;
  /** Called with what was stored, before `commit` resolves. */
  onStored: ((work: readonly Work[]) => void) | undefined;
  /** Gives it up to another opening: nothing is stored any more, and what is under way is broken off. */
  abandon(): void;
}

/** Opens the store of a database and raises its epoch, so that whoever opened it before writes no more. */
export async function openIndexedDb(name: string): Promise<EpochStore> {
  const database = await connect(name);
  try {
    await renewLog(database);
    return new IndexedDbStore(name, database, await claim(name, database));
  } catch (error) {
    database.close();
    throw storageFailed(`open database ${JSON.stringify(name)}`, error);
  }
}

/** Opens the store of a database to be read, for as long as the opening of this epoch has it. */
export async function readIndexedDb(name: string, epoch: number): Promise<ReadStore> {
  return new IndexedDbStore(name, await connect(name, true), epoch);
}

/** With `isThere` nothing is made: who only reads may come after it was deleted. */
function connect(name: string, isThere = false): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    if (globalThis.indexedDB === undefined) throw storageUnavailable('there is none');
    let request: IDBOpenDBRequest;
    try {
      request = indexedDB.open(PREFIX + name, VERSION);
    } catch (error) {
      throw storageUnavailable(error);
    }
    request.onupgradeneeded = () => {
      if (isThere) request.transaction!.abort();
      else create(request.result, request.transaction!);
    };
    request.onsuccess = () => {
      // Until the store has it, too: somebody may delete it just now.
      request.result.onversionchange = () => request.result.close();
      done(request.result);
    };
    request.onerror = () => {
      const { error } = request;
      if (error?.name === 'VersionError') fail(unsupportedVersion(name, `version ${VERSION}`, 'a later version'));
      else if (error?.name === 'QuotaExceededError') fail(storageFailed(`open database ${JSON.stringify(name)}`, error));
      else fail(storageUnavailable(error));
    };
  });
}

/** Whether there is a database of this name. Nothing is made. */
export async function isInIndexedDb(name: string): Promise<boolean> {
  if (globalThis.indexedDB === undefined) return false;
  try {
    if (typeof indexedDB.databases !== 'function') return await canBeOpened(name);
    const all = await indexedDB.databases();
    return all.some((database) => database.name === PREFIX + name);
  } catch (error) {
    throw storageFailed(`look for database ${JSON.stringify(name)}`, error);
  }
}

/** The same where the browser has no list of its databases (Firefox before 126). */
function canBeOpened(name: string): Promise<boolean> {
  return new Promise((done, fail) => {
    const request = indexedDB.open(PREFIX + name);
    let isNew = false;
    request.onupgradeneeded = (event) => {
      isNew = event.oldVersion === 0;
      if (isNew) request.transaction!.abort();
    };
    request.onsuccess = () => {
      request.result.close();
      done(true);
    };
    request.onerror = () => (isNew ? done(false) : fail(request.error));
  });
}

/** How long connections that are not ours may keep a database from being deleted. Ours close when they are told. */
const BLOCKED_MS = 2000;

/**
 * Deletes the store of a database; false when there was none. Nothing of ours has it open, as far as locks can tell. What was
 * asked of the browser cannot be taken back: whoever opened it now would wait for the end of that, which `release` is told.
 */
export function deleteIndexedDb(name: string, release: () => Promise<void>): Promise<boolean> {
  return new Promise((done, fail) => {
    let request: IDBOpenDBRequest;
    try {
      request = globalThis.indexedDB.deleteDatabase(PREFIX + name);
    } catch (error) {
      const refused = storageUnavailable(globalThis.indexedDB === undefined ? 'there is none' : error);
      void release().then(() => fail(refused));
      return;
    }
    let patience: ReturnType<typeof setTimeout> | undefined;
    request.onblocked = () => {
      patience = setTimeout(() => fail(deletePending(name)), BLOCKED_MS);
    };
    request.onsuccess = (event) => {
      clearTimeout(patience);
      // The version that there was; 0 for none.
      void release().then(() => done((event as IDBVersionChangeEvent).oldVersion > 0));
    };
    request.onerror = () => {
      clearTimeout(patience);
      const failed = storageFailed(`delete database ${JSON.stringify(name)}`, request.error);
      void release().then(() => fail(failed));
    };
  });
}

/** Takes the next epoch. A layout of a later version is left as it is. */
function claim(name: string, database: IDBDatabase): Promise<number> {
  return transact(database, ['meta'], 'readwrite', 'strict', async (transaction) => {
    const meta = transaction.objectStore('meta');
    const format: unknown = await result(meta.get('format'));
    if (format !== FORMAT) throw unsupportedVersion(name, `format ${FORMAT}`, `format ${format}`);
    // A new store begins later than a deleted one of its name ended, which tabs may still know.
    const epoch = (((await result(meta.get('epoch'))) as number | undefined) ?? Date.now()) + 1;
    meta.put(epoch, 'epoch');
    return epoch;
  });
}

class IndexedDbStore implements EpochStore {
  onLost: ((error: KithError) => void) | undefined;
  onStored: ((work: readonly Work[]) => void) | undefined;
  readonly epoch: number;
  readonly #name: string;
  readonly #database: IDBDatabase;
  readonly #underWay = new Set<IDBTransaction>();
  #lost: KithError | undefined;
  /** Whether the mark of `levellog.ts` is set. */
  #isWriting = false;

  constructor(name: string, database: IDBDatabase, epoch: number) {
    this.#name = name;
    this.#database = database;
    this.epoch = epoch;
    database.onclose = () => this.#lose('the browser has taken the storage away');
    database.onversionchange = () => {
      database.close();
      this.#lose('the storage is being deleted or upgraded by another page');
    };
  }

  snapshot(): Promise<Snapshot> {
    return this.#readAtOnce('read the database', snapshot);
  }

  read(storage: number, blob: number, take: (offset: number, bytes: Uint8Array) => void): Promise<void> {
    const work = (transaction: IDBTransaction) => readBlob(transaction, storage, blob, take);
    return this.#transact('read a blob', 'readonly', 'relaxed', work);
  }

  overview(): Promise<Overview> {
    return this.#transact('read the database', 'readonly', 'relaxed', overview);
  }

  snapshotOf(storage: number): Promise<StorageSnapshot | undefined> {
    const work = (transaction: IDBTransaction) => snapshotOf(transaction, storage);
    return this.#readAtOnce('read a collection', work);
  }

  /** Each piece in a transaction of its own: one that went on when this page does would keep the writer waiting for it. */
  async readAt(storage: number, current: number | null, blob: number, take: (offset: number, bytes: Uint8Array) => void): Promise<boolean> {
    const keys = await this.#readAt(storage, current, (pieces) => pieces.getAllKeys(startingWith(storage, blob)));
    for (const key of keys?.value ?? []) {
      const piece = await this.#readAt(storage, current, (pieces) => pieces.get(key));
      if (!piece) return false;
      take((key as number[])[3]!, piece.value as Uint8Array);
    }
    return keys !== undefined;
  }

  /** Of the pieces, while a storage has the manifest of this generation; undefined when another one holds. */
  #readAt<T>(storage: number, current: number | null, read: (pieces: IDBObjectStore) => IDBRequest<T>): Promise<{ value: T } | undefined> {
    return this.#readAtOnce('read a blob', async (transaction) => {
      const pointer = result(transaction.objectStore('pointers').get(storage));
      const [now, value] = await Promise.all([pointer, result(read(transaction.objectStore('pieces')))]);
      return ((now as number | undefined) ?? null) === current ? { value } : undefined;
    });
  }

  async commit(batch: Batch): Promise<void> {
    if (!this.#isWriting) await this.#transact('begin to write', 'readwrite', 'strict', markWriting);
    this.#isWriting = true;
    const durability = batch.strict ? 'strict' : 'relaxed';
    await this.#transact('store a write', 'readwrite', durability, (transaction) => apply(transaction, batch));
    this.onStored?.(batch.work);
  }

  /** Reads by `work`, which makes all its requests before it waits for one of them. */
  async #readAtOnce<T>(action: string, work: (transaction: IDBTransaction) => Promise<T>): Promise<T> {
    if (this.#lost) throw this.#lost;
    try {
      const transaction = this.#database.transaction([...STORES], 'readonly');
      const both = Promise.all([result(transaction.objectStore('meta').get('epoch')), work(transaction)]);
      transaction.commit();
      const [epoch, value] = await both;
      if (epoch !== this.epoch) throw fenced(this.#name);
      return value;
    } catch (error) {
      throw this.#lost ?? storageFailed(action, error);
    }
  }

  async #transact<T>(
    action: string,
    mode: 'readonly' | 'readwrite',
    durability: 'strict' | 'relaxed',
    work: (transaction: IDBTransaction) => Promise<T>,
  ): Promise<T> {
    if (this.#lost) throw this.#lost;
    try {
      return await transact(this.#database, STORES, mode, durability, async (transaction) => {
        this.#underWay.add(transaction);
        transaction.addEventListener('complete', () => this.#underWay.delete(transaction));
        transaction.addEventListener('abort', () => this.#underWay.delete(transaction));
        const epoch: unknown = await result(transaction.objectStore('meta').get('epoch'));
        if (epoch !== this.epoch) throw fenced(this.#name);
        return work(transaction);
      });
    } catch (error) {
      throw this.#lost ?? storageFailed(action, error);
    }
  }

  abandon(): void {
    this.#lost ??= fenced(this.#name);
    for (const transaction of this.#underWay) {
      try {
        transaction.abort();
      } catch {
        // It is being committed: whoever waits for it will be told.
      }
    }
    this.onLost?.(this.#lost);
  }

  close(): void {
    this.#database.onclose = null;
    this.#database.onversionchange = null;
    // The connection waits for this transaction. If it fails, the next one to open does more than it has to.
    if (this.#isWriting) this.#transact('end writing', 'readwrite', 'relaxed', markWritten).catch(() => {});
    this.#database.close();
  }

  #lose(message: string): void {
    this.#lost ??= storageLost(message);
    this.onLost?.(this.#lost);
  }
}
