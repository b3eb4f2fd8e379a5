// How a database lies in IndexedDB: its object stores, and what each kind of work does to them. docs/BROWSER.md says it in words.

import { type Batch, CATALOG, type Snapshot, type StorageSnapshot, type Work } from './module.js';
import type { Overview } from './store.js';
import { alone, joined, result, startingWith } from './transactions.js';

/** Version of this layout; a larger one is refused. */
export const FORMAT = 1;

/** The object stores. */
export const STORES = ['manifests', 'pointers', 'logs', 'blobs', 'pieces', 'lost', 'meta'] as const;

/** Stores whose keys are arrays that begin with the number of a storage. */
const BY_STORAGE = ['manifests', 'logs', 'blobs', 'pieces', 'lost'] as const;

/**
 * No record of a log is longer. Chromium keeps values of 64 KiB and more in files of their own, and makes these durable only where
 * their own transaction is strict: what a relaxed one wrote could be named and not be there after a power cut, also when a strict
 * one had followed.
 */
export const RECORD_BYTES = 60_000;

/** Makes the object stores of a new database. */
export function create(database: IDBDatabase, transaction: IDBTransaction): void {
  for (const name of STORES) database.createObjectStore(name);
  transaction.objectStore('meta').put(FORMAT, 'format');
}

/** A complete blob in `blobs`. */
interface BlobRecord {
  length: number;
}

/** Does the work of a batch. Requests of a transaction run in order, so only what depends on an answer is awaited. */
export async function apply(transaction: IDBTransaction, batch: Batch): Promise<void> {
  for (const work of gathered(batch.work)) await applyOne(transaction, work);
  // A transaction that writes nothing makes nothing durable.
  if (batch.strict) transaction.objectStore('meta').put(batch.ticket, 'sync');
}

/** Joins appends to one log that follow one another: one record instead of many. */
function gathered(work: readonly Work[]): Work[] {
  const runs: Work[][] = [];
  for (const item of work) {
    const first = runs.at(-1)?.[0];
    const goesOn =
      first?.kind === 'append' &&
      item.kind === 'append' &&
      first.storage === item.storage &&
      first.generation === item.generation;
    if (goesOn) runs.at(-1)!.push(item);
    else runs.push([item]);
  }
  return runs.map((run) => {
    const first = run[0]!;
    if (first.kind !== 'append' || run.length === 1) return first;
    return { ...first, bytes: joined(run.map((item) => (item as typeof first).bytes)) };
  });
}

async function applyOne(transaction: IDBTransaction, work: Work): Promise<void> {
  const store = (name: (typeof STORES)[number]) => transaction.objectStore(name);
  switch (work.kind) {
    case 'log':
      store('logs').delete(startingWith(work.storage, work.generation));
      putRecords(store('logs'), work.storage, work.generation, 0, work.bytes);
      break;
    case 'append':
      await append(store('logs'), work.storage, work.generation, work.bytes);
      break;
    case 'setAside':
      await setAside(transaction, work.storage, work.generation, work.from);
      break;
    case 'blob': {
      const { storage, blob, type, offset, total, bytes } = work;
      if (offset === 0) store('pieces').delete(startingWith(storage, blob, type));
      store('pieces').put(alone(bytes), [storage, blob, type, offset]);
      const record: BlobRecord = { length: total };
      if (offset + bytes.length === total) store('blobs').put(record, [storage, blob, type]);
      break;
    }
    case 'flip':
      store('manifests').put(alone(work.bytes), [work.storage, work.generation]);
      store('pointers').put(work.generation, work.storage);
      break;
    case 'removeManifest':
      store('manifests').delete([work.storage, work.generation]);
      break;
    case 'removeLog':
      store('logs').delete(startingWith(work.storage, work.generation));
      break;
    case 'removeBlob':
      store('blobs').delete([work.storage, work.blob, work.type]);
      store('pieces').delete(startingWith(work.storage, work.blob, work.type));
      break;
    case 'removeStorage':
      for (const name of BY_STORAGE) store(name).delete(startingWith(work.storage));
      store('pointers').delete(work.storage);
      break;
    case 'sync':
      break;
  }
}

async function append(logs: IDBObjectStore, storage: number, generation: number, bytes: Uint8Array): Promise<void> {
  const last = await result(logs.openKeyCursor(startingWith(storage, generation), 'prev'));
  const sequence = last ? (last.key as number[])[2]! + 1 : 0;
  putRecords(logs, storage, generation, sequence, bytes);
}

/** Puts bytes of a log as records from `sequence` on. */
function putRecords(logs: IDBObjectStore, storage: number, generation: number, sequence: number, bytes: Uint8Array): void {
  for (let [at, next] = [0, sequence]; at < bytes.length || next === sequence; at += RECORD_BYTES, next += 1) {
    logs.put(alone(bytes.subarray(at, at + RECORD_BYTES)), [storage, generation, next]);
  }
}

async function setAside(transaction: IDBTransaction, storage: number, generation: number, from: number): Promise<void> {
  const [logs, lost] = [transaction.objectStore('logs'), transaction.objectStore('lost')];
  const records = await entries(logs, startingWith(storage, generation));
  const tail: Uint8Array[] = [];
  let start = 0;
  for (const [key, bytes] of records) {
    const keep = Math.min(Math.max(from - start, 0), bytes.length);
    start += bytes.length;
    if (keep === bytes.length) continue;
    tail.push(bytes.subarray(keep));
    if (keep > 0) logs.put(bytes.slice(0, keep), key);
    else logs.delete(key);
  }
  if (tail.length === 0) return;
  const before = await result(lost.count(startingWith(storage, generation, from)));
  lost.put(alone(joined(tail)), [storage, generation, from, before]);
}

async function entries(store: IDBObjectStore, range?: IDBKeyRange): Promise<[key: number[], bytes: Uint8Array][]> {
  const both = [result(store.getAllKeys(range)), result(store.getAll(range))] as const;
  const [keys, values] = await Promise.all(both);
  return keys.map((key, i) => [key as number[], values[i] as Uint8Array]);
}

/** All that is stored, but for the bytes of blobs. */
export async function snapshot(transaction: IDBTransaction): Promise<Snapshot> {
  return { storages: await storagesOf(transaction) };
}

/** The same of one storage; undefined when it holds nothing. */
export async function snapshotOf(transaction: IDBTransaction, storage: number): Promise<StorageSnapshot | undefined> {
  const [found] = await storagesOf(transaction, storage);
  // What is not complete is on its way: what a crash left was removed when the database was opened.
  return found && { ...found, leftovers: [] };
}

/** The catalog, and which storages there are beside it. */
export async function overview(transaction: IDBTransaction): Promise<Overview> {
  const [numbers, objects] = [new Set<number>(), new Set<string>()];
  for (const name of ['manifests', 'logs', 'blobs', 'pieces'] as const) {
    for (const key of await result(transaction.objectStore(name).getAllKeys())) {
      const [storage, number] = key as number[];
      numbers.add(storage!);
      // A log has many records, and each piece is of a blob that is complete or none.
      if (name !== 'pieces') objects.add(`${name} ${storage} ${number}`);
    }
  }
  for (const key of await result(transaction.objectStore('pointers').getAllKeys())) numbers.add(key as number);
  numbers.delete(CATALOG);
  return { catalog: await snapshotOf(transaction, CATALOG), others: [...numbers].sort((a, b) => a - b), objects: objects.size };
}

/** Of all storages, or of one. All that is read is asked for before anything is waited for. */
async function storagesOf(transaction: IDBTransaction, one?: number): Promise<StorageSnapshot[]> {
  const range = one === undefined ? undefined : startingWith(one);
  const storages = new Map<number, StorageSnapshot>();
  const at: At = (number) => {
    const found = storages.get(number);
    if (found) return found;
    const empty = { number, current: null, manifests: [], logs: [], blobs: [], leftovers: [] };
    storages.set(number, empty);
    return empty;
  };
  const [manifests, logs] = await Promise.all([
    entries(transaction.objectStore('manifests'), range),
    entries(transaction.objectStore('logs'), range),
    pointers(transaction, at, one),
    blobs(transaction, at, range),
  ]);
  for (const [[storage, generation], bytes] of manifests) at(storage!).manifests.push({ generation: generation!, bytes });
  for (const [[storage, generation], records] of grouped(logs)) {
    at(storage!).logs.push({ generation: generation!, bytes: joined(records) });
  }
  return [...storages.values()].sort((a, b) => a.number - b.number);
}

/** The storage of a number, which begins empty. */
type At = (number: number) => StorageSnapshot;

async function pointers(transaction: IDBTransaction, at: At, one: number | undefined): Promise<void> {
  const store = transaction.objectStore('pointers');
  const [keys, values] = await Promise.all([result(store.getAllKeys(one)), result(store.getAll(one))]);
  keys.forEach((key, i) => {
    at(key as number).current = values[i] as number;
  });
}

async function blobs(transaction: IDBTransaction, at: At, range: IDBKeyRange | undefined): Promise<void> {
  const store = transaction.objectStore('blobs');
  const pieces = transaction.objectStore('pieces').getAllKeys(range);
  const all = [result(store.getAllKeys(range)), result(store.getAll(range)), result(pieces)] as const;
  const [keys, records, pieceKeys] = await Promise.all(all);
  const complete = new Set<string>();
  keys.forEach((key, i) => {
    const [storage, blob, type] = key as number[];
    complete.add(`${storage} ${blob} ${type}`);
    at(storage!).blobs.push({ blob: blob!, type: type!, length: (records[i] as BlobRecord).length });
  });
  for (const key of pieceKeys) {
    const [storage, blob, type] = key as number[];
    const name = `${storage} ${blob} ${type}`;
    if (complete.has(name)) continue;
    complete.add(name);
    at(storage!).leftovers.push({ blob: blob!, type: type! });
  }
}

/** Records of one storage and generation together; they follow one another. */
function grouped(records: readonly [number[], Uint8Array][]): [number[], Uint8Array[]][] {
  const groups: [number[], Uint8Array[]][] = [];
  for (const [key, bytes] of records) {
    const last = groups.at(-1);
    if (last && last[0][0] === key[0] && last[0][1] === key[1]) last[1].push(bytes);
    else groups.push([key, [bytes]]);
  }
  return groups;
}

/** So many pieces of a blob are asked of the store at a time. */
const AHEAD = 4;

/** Reads the pieces of a complete blob, in order. */
export async function readBlob(
  transaction: IDBTransaction,
  storage: number,
  blob: number,
  take: (offset: number, bytes: Uint8Array) => void,
): Promise<void> {
  const pieces = transaction.objectStore('pieces');
  const keys = await result(pieces.getAllKeys(startingWith(storage, blob)));
  const coming: Promise<unknown>[] = [];
  for (const [i, key] of keys.entries()) {
    for (const next of keys.slice(i + coming.length, i + AHEAD)) {
      const piece = result(pieces.get(next));
      piece.catch(() => {}); // The first that fails is told.
      coming.push(piece);
    }
    take((key as number[])[3]!, (await coming.shift()) as Uint8Array);
  }
}
