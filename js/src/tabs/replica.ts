// The database as a follower has it: a copy in an engine of its own, which reads what is stored and goes on by what the writer
// tells.
//
// Frames of a log are applied as they come. When a storage gets another manifest (by a seal, a merge, a bulk import) it is read
// again, but for the blobs that are here. What the copy cannot answer, or not now, is asked of the writer; so is what it refuses:
// the writer alone says what is wrong.

import type { Flat } from '../engine/vectors.js';
import { KithError } from '../errors.js';
import type { Asked } from '../rpc/verbs.js';
import type { Inhabitant, Instance } from '../wasm/instance.js';
import { CATALOG, type Missing, type StorageSnapshot, type WasmDatabase } from '../wasm/module.js';
import type { Prepared } from '../wasm/open.js';
import { setEmbedder } from '../wasm/restore.js';
import type { ReadStore } from '../wasm/store.js';
import type { Told } from './told.js';

/** A larger database is asked of the writer: every tab would take as much memory. */
const BYTES_MAX = 256 * 2 ** 20;

/** More is not kept of what was told while a storage is read: it is read once more. */
const HELD_BYTES_MAX = 32 * 2 ** 20;

/** So many storages are read again in a row, before those that change meanwhile are left for later. */
const RENEWALS_MAX = 20;

/** A copy that failed is made again, but not at once, and not for ever; one that was too large, after a minute. */
const FAILURES_MAX = 3;
const RETRY_MS = 1000;
const SMALLER_MS = 60_000;

/** What a copy answers, of a collection and of the database. */
const OF_COLLECTION: ReadonlySet<string> = new Set(['get', 'versions', 'scan', 'search', 'searchMany', 'graph', 'touches']);
const OF_DATABASE: ReadonlySet<string> = new Set(['kvGet', 'kvList']);

/** What a copy is made with. */
export interface ReplicaParts {
  prepare: () => Promise<Prepared>;
  /** Opens the store to be read, for as long as the writer of this epoch has it. */
  openStore: (epoch: number) => Promise<ReadStore>;
}

type Append = Extract<Told, { kind: 'append' }>;
type Method = (...args: unknown[]) => unknown;

/** A storage that is not here as it was told. */
interface Stale {
  /** The generation that it has reached. */
  generation: number;
  /** Frames that were told since; undefined when they were too many to keep, or did not go on from what is here. */
  held: Append[] | undefined;
  bytes: number;
}

/** The copy of one follower, which begins with the first thing that is read. */
export class Replica implements Inhabitant {
  readonly #parts: ReplicaParts;
  readonly #epoch: number;
  /** Has the writer tell what it stores from then on, or not any more. */
  readonly #follow: (isOn: boolean) => Promise<unknown>;
  #store: ReadStore | undefined;
  #instance: Instance | undefined;
  #database: WasmDatabase | undefined;
  /** What is here of each storage: its generation, and how long its blobs and logs are. */
  readonly #here = new Map<number, { generation: number | null; bytes: number }>();
  readonly #stale = new Map<number, Stale>();
  /** While it is made or reads: nothing is answered then. */
  #isWorking = false;
  /** Counts what was let go of: what goes on from before is of no use. */
  #attempt = 0;
  #failures = 0;
  #retryAt = 0;
  #isOver = false;

  constructor(parts: ReplicaParts, epoch: number, follow: (isOn: boolean) => Promise<unknown>) {
    this.#parts = parts;
    this.#epoch = epoch;
    this.#follow = follow;
  }

  /** The answer; undefined where the writer is to be asked. */
  read({ of, verb, args }: Asked): { value: unknown } | undefined {
    const isRead = of === undefined ? OF_DATABASE.has(verb) : OF_COLLECTION.has(verb) && args[0] !== 'components';
    if (!isRead || this.#isOver) return undefined;
    const database = this.#database;
    if (!database || this.#isWorking || this.#stale.size > 0) {
      void this.#work();
      return undefined;
    }
    try {
      return { value: this.#instance!.call(this, () => answered(database, of, verb, args)) };
    } catch {
      return undefined;
    }
  }

  /** What was stored since the writer was asked to tell, in its order. */
  take(told: readonly Told[]): void {
    const attempt = this.#attempt;
    try {
      for (const item of told) if (this.#store && attempt === this.#attempt) this.#take(item);
    } catch {
      if (attempt === this.#attempt) this.#fail();
    }
  }

  /** An engine that died of it would do so again, and every database of the page with it. */
  died(_why: KithError, isGuilty: boolean): void {
    this.#database = undefined;
    this.#instance = undefined;
    if (isGuilty) this.#isOver = true;
    this.#leave(RETRY_MS);
  }

  /** Lets go of everything; the writer is asked from here on. */
  end(): void {
    this.#isOver = true;
    this.#drop();
  }

  #take(item: Told): void {
    if (item.kind === 'lost') return this.#leave(0);
    const { storage } = item;
    const stale = this.#stale.get(storage);
    if (item.kind === 'append') {
      // What is being read may hold it or not; what is read later does.
      if (stale || !this.#database) hold(stale ?? this.#spoiled(storage, -1), item);
      else if (!this.#applied(item)) this.#spoiled(storage, -1).held = undefined;
    } else if (item.kind === 'removeStorage') {
      this.#here.delete(storage);
      this.#spoiled(storage, -1);
    } else if (stale) {
      stale.generation = Math.max(stale.generation, item.generation);
    } else if (item.generation > (this.#here.get(storage)?.generation ?? -1)) {
      this.#spoiled(storage, item.generation);
    }
  }

  #spoiled(storage: number, generation: number): Stale {
    const stale: Stale = { generation, held: this.#isWorking ? [] : undefined, bytes: 0 };
    this.#stale.set(storage, stale);
    return stale;
  }

  /** False when these do not go on from what is here. */
  #applied({ storage, generation, bytes }: Append): boolean {
    const database = this.#database!;
    return this.#instance!.call(this, () => database.follow(storage, generation, bytes));
  }

  /** Makes the copy, or reads what has changed, unless it is at it. */
  async #work(): Promise<void> {
    if (this.#isWorking || this.#isOver || performance.now() < this.#retryAt) return;
    this.#isWorking = true;
    const attempt = this.#attempt;
    const isCurrent = (): boolean => attempt === this.#attempt;
    try {
      if (!this.#database) await this.#make(isCurrent);
      if (isCurrent()) await this.#renew(isCurrent);
      if (isCurrent()) this.#failures = 0;
    } catch {
      if (isCurrent()) this.#fail();
    } finally {
      this.#isWorking = false;
    }
  }

  async #make(isCurrent: () => boolean): Promise<void> {
    const { enter, options, embedder } = await this.#parts.prepare();
    if (!isCurrent()) return;
    const store = await this.#parts.openStore(this.#epoch);
    if (!isCurrent()) return store.close();
    this.#store = store;
    await this.#follow(true);
    if (!isCurrent()) return;
    const snapshot = await store.snapshot();
    if (!isCurrent()) return;
    for (const storage of snapshot.storages) this.#note(storage);
    if (this.#isTooLarge()) return;
    const instance = await enter(this);
    if (!isCurrent()) return instance.leave(this);
    this.#instance = instance;
    instance.call(this, () => {
      // Here at once: where the embedder is refused, it is let go of with the rest.
      this.#database = instance.module.WasmDatabase.replica(options, snapshot);
      setEmbedder(this.#database, embedder);
    });
    await this.#provide(isCurrent);
    if (isCurrent()) for (const storage of this.#stale.keys()) this.#settle(storage);
  }

  /** Reads what has changed, the catalog last: what it names is here then. */
  async #renew(isCurrent: () => boolean): Promise<void> {
    for (let renewals = 0; this.#stale.size > 0; renewals += 1) {
      if (renewals === RENEWALS_MAX) {
        this.#retryAt = performance.now() + RETRY_MS;
        return;
      }
      const storage = [...this.#stale.keys()].reduce((a, b) => Math.max(a, b), CATALOG);
      const stale = this.#stale.get(storage)!;
      stale.held = [];
      stale.bytes = 0;
      const found = await this.#store!.snapshotOf(storage);
      if (!isCurrent()) return;
      if (found) this.#note(found);
      else this.#here.delete(storage);
      if (this.#isTooLarge()) return;
      const database = this.#database!;
      this.#instance!.call(this, () => database.renew(storage, { storages: found ? [found] : [] }));
      await this.#provide(isCurrent);
      if (!isCurrent()) return;
      if (found) this.#settle(storage);
      else this.#stale.delete(storage);
    }
  }

  /** Remembers what is here of a storage. */
  #note({ number, current, blobs, logs }: StorageSnapshot): void {
    const inLogs = logs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.#here.set(number, { generation: current, bytes: blobs.reduce((sum, { length }) => sum + length, inLogs) });
  }

  /** Lets go of it all for a while where that is so: a merge keeps what it has replaced until the next one. */
  #isTooLarge(): boolean {
    const isTooLarge = [...this.#here.values()].reduce((sum, { bytes }) => sum + bytes, 0) > BYTES_MAX;
    if (isTooLarge) this.#leave(SMALLER_MS);
    return isTooLarge;
  }

  /** Goes on from what was read by what was told meanwhile. */
  #settle(storage: number): void {
    const { generation, held } = this.#stale.get(storage)!;
    const isThere = generation <= (this.#here.get(storage)?.generation ?? -1) || generation === -1;
    if (isThere && held?.every((item) => this.#applied(item))) this.#stale.delete(storage);
  }

  /** Brings the blobs that are needed. Those of a storage that has another manifest meanwhile are left: it is stale. */
  async #provide(isCurrent: () => boolean): Promise<void> {
    const [provided, changed] = [new Set<string>(), new Set<number>()];
    for (;;) {
      const database = this.#database!;
      const missing = this.#instance!.call(this, () => database.missing()).filter((blob) => !changed.has(blob.storage));
      if (missing.length === 0) return;
      for (const blob of missing) {
        if (changed.has(blob.storage)) continue;
        const name = `blob ${blob.blob} of storage ${blob.storage}`;
        if (provided.has(name)) throw new KithError({ code: 'internal', message: `${name} was asked for twice` });
        provided.add(name);
        const isThere = await this.#provideBlob(blob, isCurrent);
        if (!isCurrent()) return;
        if (isThere) continue;
        const generation = this.#here.get(blob.storage)?.generation;
        const stale = this.#stale.get(blob.storage) ?? this.#spoiled(blob.storage, -1);
        stale.generation = Math.max(stale.generation, (generation ?? -1) + 1);
        changed.add(blob.storage);
      }
    }
  }

  #provideBlob({ storage, blob, length }: Missing, isCurrent: () => boolean): Promise<boolean> {
    const database = this.#database!;
    return this.#store!.readAt(storage, this.#here.get(storage)?.generation ?? null, blob, (offset, bytes) => {
      if (isCurrent()) this.#instance!.call(this, () => database.provide(storage, blob, offset, length, bytes));
    });
  }

  #fail(): void {
    this.#failures += 1;
    if (this.#failures >= FAILURES_MAX) this.#isOver = true;
    this.#leave(RETRY_MS);
  }

  /** Lets go of it, and makes another when something is read after so long. */
  #leave(ms: number): void {
    this.#retryAt = performance.now() + ms;
    this.#drop();
  }

  #drop(): void {
    this.#attempt += 1;
    const [database, instance, store] = [this.#database, this.#instance, this.#store];
    [this.#database, this.#instance, this.#store] = [undefined, undefined, undefined];
    this.#here.clear();
    this.#stale.clear();
    try {
      if (database) instance?.call(this, () => database.free());
    } catch {
      // It died of that, and is gone as well.
    }
    instance?.leave(this);
    if (store) this.#follow(false).catch(() => {});
    void store?.close();
  }
}

function hold(stale: Stale, item: Append): void {
  stale.bytes += item.bytes.length;
  if (stale.bytes > HELD_BYTES_MAX) stale.held = undefined;
  stale.held?.push(item);
}

function answered(database: WasmDatabase, of: string | undefined, verb: string, args: readonly unknown[]): unknown {
  const method = (database as unknown as Record<string, Method>)[verb]!;
  if (of === undefined) return method.apply(database, [...args]);
  const all = verb === 'searchMany' ? [args[0], (args[1] as Flat).flat, (args[1] as Flat).lengths] : args;
  return method.apply(database, [database.collection(of), ...all]);
}
