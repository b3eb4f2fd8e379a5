// What an engine gives the interface: JSON, typed arrays, and errors that carry a report.

import { KithError, type Report, cancelled, invalidRequest } from '../errors.js';
import type { CallOptions, ChangeOptions, Job } from '../types.js';

/** What a job does. */
export type JobKind = 'seal' | 'index' | 'merge' | 'vacuum' | 'graph_vacuum' | 'recode' | 'refine' | 'optimize';

/** JSON, and the vectors that belong into it: `lengths[i]` components each, -1 for none. */
export interface Answer {
  json: string;
  vectors?: Float32Array;
  lengths?: Int32Array;
}

/** What goes along with a call, for engines that are elsewhere; those of this process need not look at it. */
export interface Call {
  signal?: AbortSignal | undefined;
  idempotencyKey?: string | undefined;
  /** Told how much is done, of about how much, by a verb that knows it. */
  progress?: ((done: number, total: number) => void) | undefined;
}

/** A database of an engine. What it throws is a `KithError`, or an error whose message is the JSON of a report. */
export interface BackendDatabase {
  create(name: string, config: string, call?: Call): Promise<BackendCollection>;
  collection(name: string): BackendCollection;
  collections(call?: Call): Promise<string>;
  drop(name: string, call?: Call): Promise<void>;
  import(name: string, file: Uint8Array, call?: Call): Promise<BackendCollection>;
  /** The value of a key; nothing when it is not there. */
  kvGet(key: string, call?: Call): Promise<string | null | undefined>;
  /** True when it had a value before. */
  kvSet(key: string, value: string, options?: string, call?: Call): Promise<boolean>;
  /** True when it was there. */
  kvDelete(key: string, options?: string, call?: Call): Promise<boolean>;
  /** The JSON of a page of keys. */
  kvList(request: string, call?: Call): Promise<string>;
  /** The JSON of what the collections hold and take. */
  stats(call?: Call): Promise<string>;
  /** The JSON of what a check found. */
  verify(call?: Call): Promise<string>;
  /** Bytes of memory that the engine has taken; left out where it takes that of its process. */
  memory?(call?: Call): Promise<number>;
  flush(call?: Call): Promise<void>;
  close(): Promise<void>;
  /** Closes; an engine that cannot wait goes on closing afterwards. */
  closeSync(): void;
  // Left out by an engine that has to wait for an answer.
  kvGetSync?(key: string): string | null | undefined;
  kvListSync?(request: string): string;
  // Left out by an engine that cannot wait for the store, either.
  kvSetSync?(key: string, value: string, options?: string): boolean;
  kvDeleteSync?(key: string, options?: string): boolean;
  createSync?(name: string, config: string): BackendCollection;
  collectionsSync?(): string;
  dropSync?(name: string): void;
}

/** A collection of an engine. It has read or copied its arguments when a call returns, promise or not. */
export interface BackendCollection {
  info(call?: Call): Promise<string>;
  /** Stores documents, given as arrays of one length (`lives` may be empty), and answers how many were replaced. */
  write(
    ids: string[],
    vectors: (Float32Array | undefined)[],
    metadata: (string | undefined)[],
    lives: (string | undefined)[],
    upsert: boolean,
    options?: string,
    call?: Call,
  ): Promise<number>;
  delete(ids: string[], options?: string, call?: Call): Promise<number>;
  /** Counts a use of documents and answers how many were there. */
  touch(ids: string[], options?: string, call?: Call): Promise<number>;
  /** The JSON of how often documents were touched. */
  touches(ids: string[], call?: Call): Promise<string>;
  /** Makes edges, by JSON, and answers how many versions began. */
  link(edges: string, call?: Call): Promise<number>;
  /** Ends edges, by JSON, and answers how many were there. */
  unlink(edges: string, call?: Call): Promise<number>;
  /** The JSON of what the graph answers to a question of a verb. */
  graph(verb: string, question: string, call?: Call): Promise<string>;
  get(ids: string[], options?: string, call?: Call): Promise<Answer>;
  versions(id: string, call?: Call): Promise<Answer>;
  scan(request: string, call?: Call): Promise<Answer>;
  search(request: string, vector?: Float32Array, call?: Call): Promise<Answer>;
  /** Many at once: arrays of one length. */
  searchMany(requests: string[], vectors: (Float32Array | undefined)[], call?: Call): Promise<Answer[]>;
  // Left out by an engine that has to wait for an answer, or for the store.
  searchSync?(request: string, vector?: Float32Array): Answer;
  getSync?(ids: string[], options?: string): Answer;
  scanSync?(request: string): Answer;
  infoSync?(): string;
  graphSync?(verb: string, question: string): string;
  linkSync?(edges: string): number;
  unlinkSync?(edges: string): number;
  writeSync?(
    ids: string[],
    vectors: (Float32Array | undefined)[],
    metadata: (string | undefined)[],
    lives: (string | undefined)[],
    upsert: boolean,
    options?: string,
  ): number;
  deleteSync?(ids: string[], options?: string): number;
  /** Runs a job; false when there was nothing to do. */
  run(kind: JobKind, call?: Call): Promise<boolean>;
  /** Applies the rules of auto-links to what is there: the JSON of what that did. */
  relink(call?: Call): Promise<string>;
  /** The JSON of the job that runs; nothing for none. */
  job(call?: Call): Promise<string | null> | string | null | undefined;
  /** False when no job runs that can be cancelled. */
  cancelJob(call?: Call): Promise<boolean> | boolean;
  /** The JSON of an estimate. */
  estimate(request: string, call?: Call): Promise<string>;
  configure(change: string, call?: Call): Promise<void>;
  export(call?: Call): Promise<Uint8Array>;
  /** Left out by an engine that has it whole before any of it. */
  exportStream?(call?: Call): Promise<ReadableStream<Uint8Array>>;
}

/** The jobs of a collection of an engine. */
export function jobsOf(backend: BackendCollection): {
  job(options?: CallOptions): Promise<Job | null>;
  cancelJob(options?: CallOptions): Promise<boolean>;
} {
  return {
    async job(options) {
      const json = await wait(async (call) => backend.job(call), options);
      return json ? (JSON.parse(json) as Job) : null;
    },
    cancelJob: (options) => wait(async (call) => backend.cancelJob(call), options),
  };
}

/** Calls an engine; its errors become ours. */
export function call<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asKithError(error);
  }
}

/**
 * Waits for an engine; its errors become ours. Whoever gives up waits no longer: an engine of this process goes on with
 * what it has begun, since it is not half done.
 */
export async function wait<T>(work: (call?: Call) => Promise<T>, options?: CallOptions): Promise<T> {
  const call = callOf(options);
  try {
    if (!call?.signal) return await work(call);
    if (call.signal.aborted) throw cancelled('the call', call.signal.reason);
    return await unlessAborted(work(call), call.signal);
  } catch (error) {
    throw asKithError(error);
  }
}

/** As `wait`, for what is the caller's own: its errors stay what they are. */
export async function heeding<T>(work: (signal?: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T> {
  const signal = callOf(options)?.signal;
  if (!signal) return work();
  if (signal.aborted) throw cancelled('the call', signal.reason);
  return unlessAborted(work(signal), signal);
}

/** What of options goes along with a call. */
function callOf(options: ChangeOptions | undefined): Call | undefined {
  const { signal, idempotency_key: idempotencyKey } = options ?? {};
  if (signal === undefined && idempotencyKey === undefined) return undefined;
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') throw invalidRequest('a signal that is an AbortSignal', signal);
  if (idempotencyKey !== undefined && !(typeof idempotencyKey === 'string' && /^[\x21-\x7e]{1,255}$/.test(idempotencyKey))) {
    throw invalidRequest('an idempotency_key of 1 to 255 visible ASCII characters', idempotencyKey);
  }
  return { signal, idempotencyKey };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled('the call', signal.reason));
    // What began the work may have aborted it.
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function asKithError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof KithError) return error;
  // Of another build of this package, which has a class of its own.
  if (error.name === 'KithError' && 'code' in error) return new KithError(error as Error & Report, error.cause);
  // Without a report it is a panic, or a value that the engine could not take.
  return reported(error) ?? new KithError({ code: 'internal', message: error.message }, error);
}

/** The error that a report in an error's message tells; undefined when there is none. */
export function reported(error: unknown): KithError | undefined {
  if (!(error instanceof Error) || !error.message.startsWith('{')) return undefined;
  try {
    const report = JSON.parse(error.message) as Partial<Report>;
    const isReport = typeof report.code === 'string' && typeof report.message === 'string';
    return isReport ? new KithError(report as Report) : undefined;
  } catch {
    return undefined;
  }
}

/** Cuts the vectors of an answer, each into memory of its own. */
export function vectorsOf(answer: Answer): (Float32Array | null)[] {
  const { vectors, lengths } = answer;
  if (!vectors || !lengths) return [];
  let start = 0;
  return Array.from(lengths, (length) => {
    if (length < 0) return null;
    start += length;
    return vectors.slice(start - length, start);
  });
}
