// The wasm module as TypeScript sees it (bindings-wasm). The core never waits: what it has to store is queued as work,
// which is taken, committed to a store in order, and reported kept.

import type { Answer, JobKind } from '../engine/backend.js';

/** What instantiates the module: a place to fetch it from, or the module itself. */
export type WasmSource = URL | string | Response | BufferSource | WebAssembly.Module;

/** The module that wasm-bindgen writes. */
export interface WasmModule {
  /** Makes the first instance; without a source it fetches the file beside the module. Later it answers the current one. */
  default(options?: { module_or_path: WasmSource }): Promise<{ memory: WebAssembly.Memory }>;
  /** Puts a new instance in place of the current one. */
  __wbg_reset_state?(): void;
  /** Starts the threads of the module that has them. */
  initThreadPool?(threads: number): Promise<unknown>;
  WasmDatabase: {
    /** In memory: no work is ever queued. */
    memory(options: string): WasmDatabase;
    /** From what a store holds; `missing` says what it lacks still. */
    restore(options: string, snapshot: Snapshot): WasmDatabase;
    /** From what a store holds that another instance writes to: to be read, and kept up by `follow` and `renew`. */
    replica(options: string, snapshot: Snapshot): WasmDatabase;
  };
  WasmCheck: {
    /** Begins with the catalog alone; `numbers` are those of the other storages that there are, with about so many objects in all. */
    begin(catalog: Snapshot, numbers: Float64Array, objects: number): WasmCheck;
  };
}

/** A check of what is stored, one storage after the other. Its calls are as those of a `WasmDatabase`. */
export interface WasmCheck {
  /** The storage that is to be entered next; undefined at the end. */
  next(): number | undefined;
  /** Enters it by what it holds, which may be nothing; once more when it has changed. */
  enter(snapshot: Snapshot): void;
  /** Takes back what was told of it: it has gone. */
  leave(): void;
  provide(blob: number, offset: number, total: number, bytes: Uint8Array): void;
  /** Reads about so many rows, or looks at one blob. */
  step(rows: number): CheckStepped;
  /** The JSON of what was found; it is the last call. */
  finish(): string;
  free(): void;
}

/** What a step of a check did. */
export interface CheckStepped {
  /** Whether all of what was entered is checked. */
  done: boolean;
  /** The blob that is to be provided before the next step, and how long it is. */
  blob?: number;
  length: number;
  /** Objects that are checked, of about how many in all. */
  checked: number;
  total: number;
}

/**
 * A database inside the instance. Every call ends at once. A refused one throws an error whose message is the JSON of a
 * report; whatever else is thrown means that the instance is dead.
 */
export interface WasmDatabase {
  /** To be called before `missing`, and before the first collection is made. */
  setEmbedder(name: string, model: Uint8Array, tokenizer: Uint8Array): void;
  /** Opens what can be opened, and says what it needs for the rest. */
  missing(): Missing[];
  provide(storage: number, blob: number, offset: number, total: number, bytes: Uint8Array): void;

  // Of a replica alone.
  /** Applies frames that were appended to a log; false when they do not go on from what is here. */
  follow(storage: number, log: number, frames: Uint8Array): boolean;
  /** Takes a storage as it is now, from a snapshot of it alone, or of nothing when it has gone; `missing` opens it. */
  renew(storage: number, snapshot: Snapshot): void;

  // Those that change something answer a ticket, 0 when there is nothing to wait for.
  create(name: string, config: string, id: bigint): number;
  import(name: string, file: Uint8Array, id: bigint): number;
  drop(name: string): number;
  /** The number of a collection, which is its own for ever. */
  collection(name: string): number;
  collections(): string;
  stats(): string;

  info(collection: number): string;
  /** Vectors one behind the other; `lengths[i]` is -1 for a document without one. */
  write(
    collection: number,
    ids: string[],
    vectors: Float32Array,
    lengths: Int32Array,
    metadata: (string | undefined)[],
    lives: (string | undefined)[],
    upsert: boolean,
    options?: string,
  ): Submitted;
  delete(collection: number, ids: string[], options?: string): Submitted;
  get(collection: number, ids: string[], options?: string): Answer;
  /** `ended` says how many were there. */
  touch(collection: number, ids: string[], options?: string): Submitted;
  touches(collection: number, ids: string[]): string;
  /** `ended` says how many versions began. */
  link(collection: number, edges: string): Submitted;
  /** `ended` says how many were there. */
  unlink(collection: number, edges: string): Submitted;
  graph(collection: number, verb: string, question: string): string;
  versions(collection: number, id: string): Answer;
  scan(collection: number, request: string): Answer;
  search(collection: number, request: string, vector?: Float32Array): Answer;
  /** Vectors one behind the other; `lengths[i]` is -1 for a search without one. */
  searchMany(collection: number, requests: string[], vectors: Float32Array, lengths: Int32Array): Answer[];
  export(collection: number): Uint8Array;
  /** A ticket. */
  configure(collection: number, change: string): number;

  // The key-value store. `id` is that of the collection that it is made in by the first key.
  kvGet(key: string): string | undefined;
  kvSet(key: string, value: string, id: bigint, options?: string): KeySubmitted;
  kvDelete(key: string, options?: string): KeySubmitted;
  kvList(request: string): string;

  // One job of a collection at a time: begun, stepped until `step` is true, then finished; or abandoned.
  /** What is due by counted bytes and documents. */
  due(collection: number): JobKind | undefined;
  /** False when there is nothing to do. */
  begin(collection: number, kind: JobKind): boolean;
  /** True when it is built. */
  step(collection: number, documents: number): boolean;
  /** A ticket; undefined when the job found nothing to do. */
  finish(collection: number): number | undefined;
  abandon(collection: number): void;
  /** The JSON of the job that was begun; nothing for none. */
  job(collection: number): string | undefined;

  /** The number of an estimate, to be stepped until it answers its JSON. */
  beginEstimate(collection: number, request: string): number;
  stepEstimate(estimate: number, vectors: number): string | undefined;

  /** The number of a task over a whole collection, to be stepped until it answers. */
  beginTask(collection: number, kind: TaskKind, request: string): number;
  stepTask(task: number, documents: number): Stepped;
  /** The JSON of a job. */
  taskProgress(task: number): string;
  endTask(task: number): void;

  /** A ticket that is kept when everything before it is durable. */
  sync(): number;
  /** The next queued work, about so many bytes of it. */
  takeWork(bytes: number): Batch | undefined;
  /** Everything up to this ticket is committed. */
  kept(ticket: number, strict: boolean): void;
  free(): void;
}

/** A write that was applied and has to be stored. */
export interface Submitted {
  ticket: number;
  /** Versions that it ended. */
  ended: number;
}

/** What a task can be. */
export type TaskKind = 'relink' | 'components';

/** A step of a task. */
export interface Stepped {
  /** Of what it wrote; 0 for nothing. */
  ticket: number;
  /** The JSON of the answer, at the end. */
  answer?: string;
}

/** A write to the key-value store. */
export interface KeySubmitted extends Submitted {
  /** The number of the collection in which it is; none when there is no key yet. */
  collection?: number;
}

/** A blob that the instance needs in its memory. */
export interface Missing {
  storage: number;
  blob: number;
  length: number;
}

/** Work that is committed together; `ticket` is the last one in it. */
export interface Batch {
  ticket: number;
  /** Whether it has to survive a power cut before it is kept. */
  strict: boolean;
  work: Work[];
}

/** Something to be stored. */
export type Work =
  /** A new log with its header. */
  | { kind: 'log'; storage: number; generation: number; bytes: Uint8Array }
  /** Frames for the end of a log. */
  | { kind: 'append'; storage: number; generation: number; bytes: Uint8Array }
  /** Cut a log at a byte offset and keep its tail elsewhere. */
  | { kind: 'setAside'; storage: number; generation: number; from: number }
  /** A piece of a blob; the last one completes it. */
  | { kind: 'blob'; storage: number; blob: number; type: number; offset: number; total: number; bytes: Uint8Array }
  /** A manifest and the pointer to it. */
  | { kind: 'flip'; storage: number; generation: number; bytes: Uint8Array }
  | { kind: 'removeManifest'; storage: number; generation: number }
  | { kind: 'removeLog'; storage: number; generation: number }
  | { kind: 'removeBlob'; storage: number; blob: number; type: number }
  /** Everything of a storage. */
  | { kind: 'removeStorage'; storage: number }
  /** Nothing: the batch is strict. */
  | { kind: 'sync' };

/** All that a store holds, but for the bytes of blobs. */
export interface Snapshot {
  storages: StorageSnapshot[];
}

/** The number of the storage of the catalog. */
export const CATALOG = 0;

/** What a store holds of one storage. */
export interface StorageSnapshot {
  number: number;
  /** The generation that the pointer names. */
  current: number | null;
  manifests: { generation: number; bytes: Uint8Array }[];
  logs: { generation: number; bytes: Uint8Array }[];
  /** Complete blobs. */
  blobs: { blob: number; type: number; length: number }[];
  /** Blobs that were begun and not completed. */
  leftovers: { blob: number; type: number }[];
}
