// What an engine gives the interface: JSON, typed arrays, and errors that carry a report.

import { KithError, type Report } from '../errors.js';
import type { Job } from '../types.js';

/** What a job does. */
export type JobKind = 'seal' | 'index' | 'merge' | 'vacuum' | 'graph_vacuum' | 'recode' | 'refine' | 'optimize';

/** JSON, and the vectors that belong into it: `lengths[i]` components each, -1 for none. */
export interface Answer {
  json: string;
  vectors?: Float32Array;
  lengths?: Int32Array;
}

/** A database of an engine. What it throws is a `KithError`, or an error whose message is the JSON of a report. */
export interface BackendDatabase {
  create(name: string, config: string): Promise<BackendCollection>;
  collection(name: string): BackendCollection;
  collections(): Promise<string>;
  drop(name: string): Promise<void>;
  import(name: string, file: Uint8Array): Promise<BackendCollection>;
  /** The value of a key; nothing when it is not there. */
  kvGet(key: string): Promise<string | null | undefined>;
  /** True when it had a value before. */
  kvSet(key: string, value: string, options?: string): Promise<boolean>;
  /** True when it was there. */
  kvDelete(key: string, options?: string): Promise<boolean>;
  /** The JSON of a page of keys. */
  kvList(request: string): Promise<string>;
  flush(): Promise<void>;
  close(): Promise<void>;
  /** Closes; an engine that cannot wait goes on closing afterwards. */
  closeSync(): void;
}

/** A collection of an engine. It has read or copied its arguments when a call returns, promise or not. */
export interface BackendCollection {
  info(): Promise<string>;
  /** Stores documents, given as arrays of one length (`lives` may be empty), and answers how many were replaced. */
  write(
    ids: string[],
    vectors: (Float32Array | undefined)[],
    metadata: (string | undefined)[],
    lives: (string | undefined)[],
    upsert: boolean,
    options?: string,
  ): Promise<number>;
  delete(ids: string[], options?: string): Promise<number>;
  /** Counts a use of documents and answers how many were there. */
  touch(ids: string[], options?: string): Promise<number>;
  /** The JSON of how often documents were touched. */
  touches(ids: string[]): Promise<string>;
  /** Makes edges, by JSON, and answers how many versions began. */
  link(edges: string): Promise<number>;
  /** Ends edges, by JSON, and answers how many were there. */
  unlink(edges: string): Promise<number>;
  /** The JSON of what the graph answers to a question of a verb. */
  graph(verb: string, question: string): Promise<string>;
  get(ids: string[], options?: string): Promise<Answer>;
  versions(id: string): Promise<Answer>;
  scan(request: string): Promise<Answer>;
  search(request: string, vector?: Float32Array): Promise<Answer>;
  searchSync(request: string, vector?: Float32Array): Answer;
  /** Runs a job; false when there was nothing to do. */
  run(kind: JobKind): Promise<boolean>;
  /** Applies the rules of auto-links to what is there: the JSON of what that did. */
  relink(): Promise<string>;
  /** The JSON of the job that runs; nothing for none. */
  job(): string | null | undefined;
  /** False when no job runs that can be cancelled. */
  cancelJob(): boolean;
  /** The JSON of an estimate. */
  estimate(request: string): Promise<string>;
  configure(change: string): Promise<void>;
  export(): Promise<Uint8Array>;
}

/** The jobs of a collection of an engine. */
export function jobsOf(backend: BackendCollection): { job(): Job | null; cancelJob(): boolean } {
  return {
    job: () => {
      const json = call(() => backend.job());
      return json ? (JSON.parse(json) as Job) : null;
    },
    cancelJob: () => call(() => backend.cancelJob()),
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

/** Waits for an engine; its errors become ours. */
export async function wait<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asKithError(error);
  }
}

function asKithError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof KithError) return error;
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
