// The browser engine behind the interface: each call goes into the instance at once, and waits for the store where it must.

import type { Answer, BackendCollection, BackendDatabase, Call, JobKind } from '../engine/backend.js';
import { flattened } from '../engine/vectors.js';
import { closed, refusal } from './errors.js';
import type { Host } from './host.js';
import { Jobs } from './jobs.js';
import type { Life } from './life.js';
import type { KeySubmitted, Submitted, WasmDatabase } from './module.js';

/** A database that a host keeps alive. */
export class WasmBackend implements BackendDatabase {
  readonly #host: Host;
  readonly #jobs: Jobs;
  /** Resolves once the last check that was asked for has ended: one at a time. */
  #verified: Promise<unknown> = Promise.resolve();

  constructor(host: Host) {
    this.#host = host;
    this.#jobs = new Jobs(host);
  }

  create(name: string, config: string): Promise<BackendCollection> {
    return this.#make(name, (db) => db.create(name, config, randomId()));
  }

  import(name: string, file: Uint8Array): Promise<BackendCollection> {
    const bytes = this.#host.isReady ? file : file.slice();
    return this.#make(name, (db) => db.import(name, bytes, randomId()));
  }

  async #make(name: string, make: (db: WasmDatabase) => number): Promise<BackendCollection> {
    return submit(this.#host, (db, life) => {
      const ticket = make(db);
      return { ticket, value: this.#handle(name, db.collection(name), life) };
    });
  }

  collection(name: string): BackendCollection {
    const { life } = this.#host;
    const number = this.#host.call((db) => db.collection(name));
    // It may have been left with work to do when the page was closed.
    this.#jobs.consider(number);
    return this.#handle(name, number, life);
  }

  #handle(name: string, number: number, life: Life): WasmCollection {
    return new WasmCollection(this.#host, this.#jobs, name, number, life);
  }

  collections(): Promise<string> {
    return ask(this.#host, (db) => db.collections());
  }

  drop(name: string): Promise<void> {
    return submit(this.#host, (db) => ({ ticket: db.drop(name), value: undefined }));
  }

  kvGet(key: string): Promise<string | undefined> {
    return ask(this.#host, (db) => db.kvGet(key));
  }

  kvSet(key: string, value: string, options?: string): Promise<boolean> {
    return this.#changeKey((db) => db.kvSet(key, value, randomId(), options));
  }

  kvDelete(key: string, options?: string): Promise<boolean> {
    return this.#changeKey((db) => db.kvDelete(key, options));
  }

  kvList(request: string): Promise<string> {
    return ask(this.#host, (db) => db.kvList(request));
  }

  kvGetSync(key: string): string | undefined {
    return this.#host.call((db) => db.kvGet(key));
  }

  kvListSync(request: string): string {
    return this.#host.call((db) => db.kvList(request));
  }

  async #changeKey(work: (db: WasmDatabase) => KeySubmitted): Promise<boolean> {
    const { ended, collection } = await submit(this.#host, (db) => {
      const submitted = work(db);
      return { ticket: submitted.ticket, value: submitted };
    });
    if (collection !== undefined) {
      this.#jobs.consider(collection);
      await this.#jobs.turn(collection);
    }
    return ended > 0;
  }

  stats(): Promise<string> {
    return ask(this.#host, (db) => db.stats());
  }

  verify(call?: Call): Promise<string> {
    const verified = this.#verified.then(async () => (await this.#host.nextLife()).verify(this.#jobs, call));
    this.#verified = verified.catch(() => {});
    return verified;
  }

  async memory(): Promise<number> {
    return (await this.#host.nextLife()).memory();
  }

  async flush(): Promise<void> {
    if (!this.#host.isReady) await this.#host.nextLife();
    await this.#host.life.sync();
  }

  close(): Promise<void> {
    this.#jobs.stop();
    return this.#host.close();
  }

  closeSync(): void {
    // Nobody is there to be told; writes that were not kept have told their callers.
    this.close().catch(() => {});
  }
}

class WasmCollection implements BackendCollection {
  readonly #host: Host;
  readonly #jobs: Jobs;
  readonly #name: string;
  readonly #number: number;
  /** The life in which the number was last seen to be this collection's. */
  #life: Life;

  constructor(host: Host, jobs: Jobs, name: string, number: number, life: Life) {
    this.#host = host;
    this.#jobs = jobs;
    this.#name = name;
    this.#number = number;
    this.#life = life;
  }

  info(): Promise<string> {
    return this.#ask((db, c) => db.info(c));
  }

  async write(
    ids: string[],
    vectors: (Float32Array | undefined)[],
    metadata: (string | undefined)[],
    lives: (string | undefined)[],
    upsert: boolean,
    options?: string,
  ): Promise<number> {
    const { flat, lengths } = flattened(vectors);
    return this.#change((db, c) => db.write(c, ids, flat, lengths, metadata, lives, upsert, options));
  }

  delete(ids: string[], options?: string): Promise<number> {
    return this.#change((db, c) => db.delete(c, ids, options));
  }

  touch(ids: string[], options?: string): Promise<number> {
    return this.#change((db, c) => db.touch(c, ids, options));
  }

  touches(ids: string[]): Promise<string> {
    return this.#ask((db, c) => db.touches(c, ids));
  }

  link(edges: string): Promise<number> {
    return this.#change((db, c) => db.link(c, edges));
  }

  unlink(edges: string): Promise<number> {
    return this.#change((db, c) => db.unlink(c, edges));
  }

  async graph(verb: string, question: string): Promise<string> {
    if (verb === 'components') return this.#jobs.task(await this.#ask((_db, c) => c), 'components', question);
    return this.#ask((db, c) => db.graph(c, verb, question));
  }

  get(ids: string[], options?: string): Promise<Answer> {
    return this.#ask((db, c) => db.get(c, ids, options));
  }

  versions(id: string): Promise<Answer> {
    return this.#ask((db, c) => db.versions(c, id));
  }

  scan(request: string): Promise<Answer> {
    return this.#ask((db, c) => db.scan(c, request));
  }

  search(request: string, vector?: Float32Array): Promise<Answer> {
    const query = this.#host.isReady ? vector : vector?.slice();
    return this.#ask((db, c) => db.search(c, request, query));
  }

  searchMany(requests: string[], vectors: (Float32Array | undefined)[]): Promise<Answer[]> {
    const { flat, lengths } = flattened(vectors);
    return this.#ask((db, c) => db.searchMany(c, requests, flat, lengths));
  }

  getSync(ids: string[], options?: string): Answer {
    return this.#call((db, c) => db.get(c, ids, options));
  }

  scanSync(request: string): Answer {
    return this.#call((db, c) => db.scan(c, request));
  }

  infoSync(): string {
    return this.#call((db, c) => db.info(c));
  }

  graphSync(verb: string, question: string): string {
    return this.#call((db, c) => db.graph(c, verb, question));
  }

  searchSync(request: string, vector?: Float32Array): Answer {
    return this.#call((db, c) => db.search(c, request, vector));
  }

  async run(kind: JobKind): Promise<boolean> {
    const number = await this.#ask((_db, c) => c);
    return this.#jobs.run(number, kind);
  }

  async relink(): Promise<string> {
    return this.#jobs.task(await this.#ask((_db, c) => c), 'relink', '{}');
  }

  job(): string | undefined {
    return this.#call((db, c) => this.#jobs.progress(c) ?? db.job(c));
  }

  cancelJob(): boolean {
    return this.#jobs.cancel(this.#call((_db, c) => c));
  }

  async estimate(request: string): Promise<string> {
    const begun = (db: WasmDatabase, life: Life) => ({ life, number: db.beginEstimate(this.#seenIn(life, db), request) });
    const { life, number } = await ask(this.#host, begun);
    return this.#jobs.steps((documents) => life.call((db) => db.stepEstimate(number, documents)));
  }

  async configure(change: string): Promise<void> {
    await this.#change((db, c) => ({ ticket: db.configure(c, change), ended: 0 }));
  }

  export(): Promise<Uint8Array> {
    return this.#ask((db, c) => db.export(c));
  }

  #call<T>(work: (db: WasmDatabase, collection: number) => T): T {
    const { life } = this.#host;
    return this.#host.call((db) => work(db, this.#seenIn(life, db)));
  }

  #ask<T>(work: (db: WasmDatabase, collection: number) => T): Promise<T> {
    return ask(this.#host, (db, life) => work(db, this.#seenIn(life, db)));
  }

  async #change(work: (db: WasmDatabase, collection: number) => Submitted): Promise<number> {
    const ended = await submit(this.#host, (db, life) => {
      const submitted = work(db, this.#seenIn(life, db));
      return { ticket: submitted.ticket, value: submitted.ended };
    });
    this.#jobs.consider(this.#number);
    await this.#jobs.turn(this.#number);
    return ended;
  }

  /**
   * The number of this collection. A life may end with a collection that was not stored yet, and the next one give
   * its number to another.
   */
  #seenIn(life: Life, db: WasmDatabase): number {
    if (life === this.#life) return this.#number;
    if (this.#numberIn(db) !== this.#number) throw closed('collection');
    this.#life = life;
    return this.#number;
  }

  #numberIn(db: WasmDatabase): number | undefined {
    try {
      return db.collection(this.#name);
    } catch (error) {
      if (refusal(error)?.code === 'unknown_collection') return undefined;
      throw error;
    }
  }
}

/** Asks as soon as there is a database to ask. */
async function ask<T>(host: Host, work: (db: WasmDatabase, life: Life) => T): Promise<T> {
  if (!host.isReady) await host.nextLife();
  const { life } = host;
  return host.call((db) => work(db, life));
}

/** Changes something, and waits until that is kept. */
async function submit<T>(
  host: Host,
  work: (db: WasmDatabase, life: Life) => { ticket: number; value: T },
): Promise<T> {
  if (!host.isReady) await host.nextLife();
  const { life } = host;
  const { ticket, value } = host.call((db) => work(db, life));
  await life.kept(ticket);
  return value;
}

/** The number that ties a new collection to its files: any 64 bits but 0. */
function randomId(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0]! || 1n;
}
