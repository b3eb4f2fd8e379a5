// The addon's classes as Rust exports them (bindings-node), and its errors as ours.

import { createRequire } from 'node:module';

import { KithError, type Report } from '../errors.js';

/** JSON, and the vectors that belong into it: `lengths[i]` components each, -1 for none. */
export interface Answer {
  json: string;
  vectors?: Float32Array;
  lengths?: Int32Array;
}

/** A database of the addon. */
export interface NativeDatabase {
  create(name: string, config: string): Promise<NativeCollection>;
  collection(name: string): NativeCollection;
  collections(): Promise<string>;
  drop(name: string): Promise<void>;
  import(name: string, file: Uint8Array): Promise<NativeCollection>;
  flush(): Promise<void>;
  close(): Promise<void>;
  closeSync(): void;
}

/** A collection of the addon. */
export interface NativeCollection {
  info(): Promise<string>;
  write(
    ids: string[],
    vectors: (Float32Array | undefined)[],
    metadata: (string | undefined)[],
    upsert: boolean,
    options?: string,
  ): Promise<number>;
  delete(ids: string[], options?: string): Promise<number>;
  get(ids: string[]): Promise<Answer>;
  scan(request: string): Promise<Answer>;
  search(request: string, vector?: Float32Array): Promise<Answer>;
  searchSync(request: string, vector?: Float32Array): Answer;
  seal(): Promise<boolean>;
  index(): Promise<boolean>;
  merge(): Promise<boolean>;
  export(): Promise<Uint8Array>;
}

interface Addon {
  NativeDatabase: { open(options: string): Promise<NativeDatabase> };
}

let loaded: Addon | undefined;

/** The addon, loaded at its first use. */
export function addon(): Addon {
  loaded ??= createRequire(import.meta.url)('../kithdb.node') as Addon;
  return loaded;
}

/** Calls the addon; its errors become ours. */
export function call<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asKithError(error);
  }
}

/** Waits for the addon; its errors become ours. */
export async function wait<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asKithError(error);
  }
}

function asKithError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof KithError) return error;
  try {
    return new KithError(JSON.parse(error.message) as Report);
  } catch {
    // Not a report: a panic, or a value that the addon could not take.
    return new KithError({ code: 'internal', message: error.message }, error);
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
