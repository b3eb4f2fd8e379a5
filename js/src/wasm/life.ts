// One life of a database: from its restoring in an instance to its loss or end.

import type { Call } from '../engine/backend.js';
import type { KithError } from '../errors.js';
import type { Inhabitant, Instance } from './instance.js';
import type { Jobs } from './jobs.js';
import type { WasmDatabase } from './module.js';
import { Pump } from './pump.js';
import type { Store } from './store.js';
import { verified } from './verify.js';

/** A database in an instance. Handles remember in which life they were made. */
export class Life {
  readonly #instance: Instance;
  readonly #owner: Inhabitant;
  readonly #database: WasmDatabase;
  readonly #store: Store | undefined;
  readonly #pump: Pump | undefined;
  #lost: KithError | undefined;

  constructor(
    instance: Instance,
    owner: Inhabitant,
    database: WasmDatabase,
    store: Store | undefined,
    failed: (life: Life, error: KithError) => void,
  ) {
    this.#instance = instance;
    this.#owner = owner;
    this.#database = database;
    this.#store = store;
    if (!store) return;
    const source = {
      sync: () => this.call((db) => db.sync()),
      takeWork: (bytes: number) => this.call((db) => db.takeWork(bytes)),
      kept: (ticket: number, strict: boolean) => this.call((db) => db.kept(ticket, strict)),
    };
    this.#pump = new Pump(source, store, (error) => failed(this, error));
  }

  /** Calls into the database; throws what ended this life once it has ended. */
  call<T>(work: (database: WasmDatabase) => T): T {
    if (this.#lost) throw this.#lost;
    return this.#instance.call(this.#owner, () => work(this.#database));
  }

  /** Bytes of memory that its instance has taken, for all databases in it. */
  memory(): Promise<number> {
    return this.#instance.memory();
  }

  /** Reads all that is stored, once nothing waits to be: the JSON of what was found. In memory nothing is. */
  async verify(jobs: Jobs, call: Call | undefined): Promise<string> {
    const inside = <T>(work: () => T): T => this.call(work);
    try {
      await this.sync();
      return await verified({ module: this.#instance.module, call: inside, store: this.#store, jobs }, call);
    } catch (error) {
      // What ended this life, where it ended meanwhile: its store may be closed under the check.
      throw this.#lost ?? error;
    }
  }

  /** Whether it has stored anything. */
  get hasKept(): boolean {
    return this.#pump?.hasKept ?? false;
  }

  /** Makes everything durable after so long, unless that is done before. */
  syncLater(ms: number): void {
    this.#pump?.syncLater(ms);
  }

  /** Resolves when a ticket is kept; at once in memory. */
  async kept(ticket: number): Promise<void> {
    await this.#pump?.wait(ticket);
  }

  /** Looks for work that nobody waits for. */
  wake(): void {
    this.#pump?.wake();
  }

  /** Makes everything so far durable. */
  async sync(): Promise<void> {
    await this.#pump?.sync();
  }

  /** Makes durable now what would be made so within a second. */
  hurry(): void {
    this.#pump?.hurry();
  }

  /** Ends it: whoever waits is refused. Resolves when nothing of it is being stored any more. */
  async end(why: KithError): Promise<void> {
    if (!this.#lost) {
      this.#lost = why;
      if (!this.#instance.dead) {
        try {
          this.#instance.call(this.#owner, () => this.#database.free());
        } catch {
          // Then it died of that, and is gone as well.
        }
        this.#instance.leave(this.#owner);
      }
    }
    await this.#pump?.stop(why);
  }
}
