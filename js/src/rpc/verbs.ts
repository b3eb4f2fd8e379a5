// The verbs of a database and its collections as plain messages: what is asked, and who does it.
//
// A database that is elsewhere (in a Worker, in another tab) is an `AskedDatabase`, which turns each call of the interface
// into one `Asked`; there a `Doer` turns it into the call again.

import type { Answer, BackendCollection, BackendDatabase, Call, JobKind } from '../engine/backend.js';
import { type Flat, flattened, parted } from '../engine/vectors.js';
import { KithError, invalidRequest } from '../errors.js';

/** What is asked: a verb of a database, or of the collection `of` that name. Whatever memory is in `args` is its own. */
export interface Asked {
  of?: string | undefined;
  verb: string;
  args: unknown[];
}

/** Asks, and answers what the verb answers. */
export type Ask = (asked: Asked, call?: Call) => Promise<unknown>;

/** The verbs of a database, and how many arguments each has. Another list is another version: see `version.ts`. */
export const OF_DATABASE: Readonly<Record<string, number>> = {
  create: 2, collections: 0, drop: 1, import: 2, kvGet: 1, kvSet: 3, kvDelete: 2, kvList: 1, stats: 0, verify: 0, memory: 0, flush: 0,
};

/** The verbs of a collection. */
export const OF_COLLECTION: Readonly<Record<string, number>> = {
  info: 0, write: 6, delete: 2, touch: 2, touches: 1, link: 1, unlink: 1, graph: 2, get: 2, versions: 1, scan: 1, search: 2,
  searchMany: 2, run: 1, relink: 0, job: 0, cancelJob: 0, estimate: 1, configure: 1, export: 0,
};

/**
 * Verbs that must not be done twice. All others answer the same when they are, and leave the same: a job changes no answer,
 * and a relink adds what is missing.
 */
const ONCE: ReadonlySet<string> = new Set([
  'create', 'drop', 'import', 'kvSet', 'kvDelete', 'write', 'delete', 'touch', 'link', 'unlink', 'configure',
]);

/** Whether something that may have been done can be asked again. */
export function isRepeatable({ verb }: Asked): boolean {
  return !ONCE.has(verb);
}

/** Whether it changes what is read afterwards. */
export function isChange({ verb }: Asked): boolean {
  return ONCE.has(verb) || verb === 'relink';
}

/** A database that is somewhere else. */
export class AskedDatabase implements BackendDatabase {
  readonly #ask: Ask;
  readonly #end: () => Promise<void>;

  /** `end` lets go of it. */
  constructor(ask: Ask, end: () => Promise<void>) {
    this.#ask = ask;
    this.#end = end;
  }

  async create(name: string, config: string, call?: Call): Promise<BackendCollection> {
    await this.#ask({ verb: 'create', args: [name, config] }, call);
    return this.collection(name);
  }

  collection(name: string): BackendCollection {
    return new AskedCollection(name, this.#ask);
  }

  async import(name: string, file: Uint8Array, call?: Call): Promise<BackendCollection> {
    await this.#ask({ verb: 'import', args: [name, file.slice()] }, call);
    return this.collection(name);
  }

  collections(call?: Call): Promise<string> {
    return this.#ask({ verb: 'collections', args: [] }, call) as Promise<string>;
  }

  async drop(name: string, call?: Call): Promise<void> {
    await this.#ask({ verb: 'drop', args: [name] }, call);
  }

  kvGet(key: string, call?: Call): Promise<string | undefined> {
    return this.#ask({ verb: 'kvGet', args: [key] }, call) as Promise<string | undefined>;
  }

  kvSet(key: string, value: string, options?: string, call?: Call): Promise<boolean> {
    return this.#ask({ verb: 'kvSet', args: [key, value, options] }, call) as Promise<boolean>;
  }

  kvDelete(key: string, options?: string, call?: Call): Promise<boolean> {
    return this.#ask({ verb: 'kvDelete', args: [key, options] }, call) as Promise<boolean>;
  }

  kvList(request: string, call?: Call): Promise<string> {
    return this.#ask({ verb: 'kvList', args: [request] }, call) as Promise<string>;
  }

  stats(call?: Call): Promise<string> {
    return this.#ask({ verb: 'stats', args: [] }, call) as Promise<string>;
  }

  verify(call?: Call): Promise<string> {
    return this.#ask({ verb: 'verify', args: [] }, call) as Promise<string>;
  }

  memory(call?: Call): Promise<number> {
    return this.#ask({ verb: 'memory', args: [] }, call) as Promise<number>;
  }

  async flush(call?: Call): Promise<void> {
    await this.#ask({ verb: 'flush', args: [] }, call);
  }

  close(): Promise<void> {
    return this.#end();
  }

  closeSync(): void {
    // Nobody is there to be told.
    this.#end().catch(() => {});
  }
}

class AskedCollection implements BackendCollection {
  readonly #name: string;
  readonly #ask: Ask;

  constructor(name: string, ask: Ask) {
    this.#name = name;
    this.#ask = ask;
  }

  info(call?: Call): Promise<string> {
    return this.#get('info', [], call);
  }

  write(
    ids: string[],
    vectors: (Float32Array | undefined)[],
    metadata: (string | undefined)[],
    lives: (string | undefined)[],
    upsert: boolean,
    options?: string,
    call?: Call,
  ): Promise<number> {
    return this.#get('write', [ids, flattened(vectors), metadata, lives, upsert, options], call);
  }

  delete(ids: string[], options?: string, call?: Call): Promise<number> {
    return this.#get('delete', [ids, options], call);
  }

  touch(ids: string[], options?: string, call?: Call): Promise<number> {
    return this.#get('touch', [ids, options], call);
  }

  touches(ids: string[], call?: Call): Promise<string> {
    return this.#get('touches', [ids], call);
  }

  link(edges: string, call?: Call): Promise<number> {
    return this.#get('link', [edges], call);
  }

  unlink(edges: string, call?: Call): Promise<number> {
    return this.#get('unlink', [edges], call);
  }

  graph(verb: string, question: string, call?: Call): Promise<string> {
    return this.#get('graph', [verb, question], call);
  }

  get(ids: string[], options?: string, call?: Call): Promise<Answer> {
    return this.#get('get', [ids, options], call);
  }

  versions(id: string, call?: Call): Promise<Answer> {
    return this.#get('versions', [id], call);
  }

  scan(request: string, call?: Call): Promise<Answer> {
    return this.#get('scan', [request], call);
  }

  search(request: string, vector?: Float32Array, call?: Call): Promise<Answer> {
    return this.#get('search', [request, vector?.slice()], call);
  }

  searchMany(requests: string[], vectors: (Float32Array | undefined)[], call?: Call): Promise<Answer[]> {
    return this.#get('searchMany', [requests, flattened(vectors)], call);
  }

  run(kind: JobKind, call?: Call): Promise<boolean> {
    return this.#get('run', [kind], call);
  }

  relink(call?: Call): Promise<string> {
    return this.#get('relink', [], call);
  }

  job(call?: Call): Promise<string | null> {
    return this.#get('job', [], call);
  }

  cancelJob(call?: Call): Promise<boolean> {
    return this.#get('cancelJob', [], call);
  }

  estimate(request: string, call?: Call): Promise<string> {
    return this.#get('estimate', [request], call);
  }

  configure(change: string, call?: Call): Promise<void> {
    return this.#get('configure', [change], call);
  }

  export(call?: Call): Promise<Uint8Array> {
    return this.#get('export', [], call);
  }

  #get<T>(verb: string, args: unknown[], call: Call | undefined): Promise<T> {
    return this.#ask({ of: this.#name, verb, args }, call) as Promise<T>;
  }
}

type Method = (...args: unknown[]) => unknown;

/** Does with a database what is asked of it. Calls are begun in the order in which they are asked. */
export class Doer {
  readonly #database: BackendDatabase;
  /** Those that were asked of, by name. */
  readonly #collections = new Map<string, BackendCollection>();

  constructor(database: BackendDatabase) {
    this.#database = database;
  }

  async do({ of, verb, args }: Asked, call?: Call): Promise<unknown> {
    const count = lookUp(of === undefined ? OF_DATABASE : OF_COLLECTION, verb);
    if (!Array.isArray(args) || args.length > count) throw invalidRequest(`up to ${count} arguments of ${verb}`, args);
    // What goes along with a call is behind its last argument.
    const all = Array.from({ length: count }, (_, i) => args[i]);
    if (of === undefined) return this.#ofDatabase(verb, all, call);
    if (verb === 'write' || verb === 'searchMany') all[1] = parted(all[1] as Flat);
    return this.#ofCollection(of, verb, [...all, call]);
  }

  async #ofDatabase(verb: string, args: unknown[], call: Call | undefined): Promise<unknown> {
    const name = args[0] as string;
    const answer = await invoke(this.#database, verb, [...args, call]);
    if (verb === 'drop') this.#collections.delete(name);
    if (verb !== 'create' && verb !== 'import') return answer;
    this.#collections.set(name, answer as BackendCollection);
    return undefined;
  }

  async #ofCollection(name: string, verb: string, args: unknown[]): Promise<unknown> {
    const known = this.#collections.get(name);
    if (known) {
      try {
        return await invoke(known, verb, args);
      } catch (error) {
        // It was dropped, and there may be another one of its name.
        if (!isCode(error, 'closed') && !isCode(error, 'unknown_collection')) throw error;
        if (this.#collections.get(name) === known) this.#collections.delete(name);
      }
    }
    const found = await this.#collection(name);
    try {
      return await invoke(found, verb, args);
    } catch (error) {
      if (!isCode(error, 'closed')) throw error;
      // The database, which says so itself, or this collection alone, which was dropped meanwhile.
      this.#collections.delete(name);
      this.#database.collection(name);
      throw dropped(name);
    }
  }

  async #collection(name: string): Promise<BackendCollection> {
    let collection: BackendCollection;
    try {
      collection = this.#database.collection(name);
    } catch (error) {
      if (!isCode(error, 'restarting')) throw error;
      await this.#database.collections();
      collection = this.#database.collection(name);
    }
    this.#collections.set(name, collection);
    return collection;
  }
}

function dropped(name: string): KithError {
  const message = `the collection ${JSON.stringify(name)} was dropped meanwhile, and there is another one of its name`;
  return new KithError({ code: 'unknown_collection', message, got: name });
}

function lookUp(verbs: Readonly<Record<string, number>>, verb: unknown): number {
  if (typeof verb !== 'string' || !Object.hasOwn(verbs, verb)) throw invalidRequest('a verb', verb);
  return verbs[verb]!;
}

function invoke(target: BackendDatabase | BackendCollection, verb: string, args: unknown[]): unknown {
  const method = (target as unknown as Record<string, Method>)[verb]!;
  return method.apply(target, args);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof KithError && error.code === code;
}
