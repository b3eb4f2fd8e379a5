// Carries work from an instance to its store: in order, one transaction at a time. What arrives meanwhile goes into the
// next one, so that many writes share one commit.

import type { KithError } from '../errors.js';
import type { Batch, WasmDatabase } from './module.js';
import type { Store } from './store.js';

/** About so many bytes are committed at once. */
const BATCH_BYTES = 8 * 2 ** 20;

/** What was stored relaxed is made durable after so long; the promise is one second. */
const RELAXED_MS = 800;

/** Where work comes from: a database whose calls throw a `KithError`, and stop the pump first if the instance has died. */
export type WorkSource = Pick<WasmDatabase, 'sync' | 'takeWork' | 'kept'>;

interface Waiter {
  ticket: number;
  kept: () => void;
  failed: (error: KithError) => void;
}

/** The pump of one instance's life. */
export class Pump {
  readonly #source: WorkSource;
  readonly #store: Store;
  readonly #failed: (error: KithError) => void;
  #waiters: Waiter[] = [];
  #keptUpTo = 0;
  /** The last ticket of the batch that is being committed. */
  #inFlight = 0;
  #running: Promise<void> | undefined;
  #stopped: KithError | undefined;
  #isRelaxed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `failed` is told of the first commit that fails; nothing is stored or kept after it. */
  constructor(source: WorkSource, store: Store, failed: (error: KithError) => void) {
    this.#source = source;
    this.#store = store;
    this.#failed = failed;
  }

  /** Resolves when a ticket is kept. */
  wait(ticket: number): Promise<void> {
    if (this.#stopped) return Promise.reject(this.#stopped);
    this.wake();
    if (ticket <= this.#keptUpTo) return Promise.resolve();
    return new Promise((kept, failed) => this.#waiters.push({ ticket, kept, failed }));
  }

  /** Makes everything so far durable. */
  async sync(): Promise<void> {
    if (this.#stopped) throw this.#stopped;
    await this.wait(this.#source.sync());
  }

  /** Makes durable now what would be made so within a second. */
  hurry(): void {
    // A failure is told to whoever is behind this pump.
    if (this.#isRelaxed && !this.#stopped) this.sync().catch(() => {});
  }

  /** Whether anything was stored. */
  get hasKept(): boolean {
    return this.#keptUpTo > 0;
  }

  /** Makes everything so far durable after so long, with the next write or when the page is hidden, whichever comes first. */
  syncLater(ms: number): void {
    this.#isRelaxed = true;
    this.#hurryAfter(ms);
  }

  /** Looks for work that nobody waits for. */
  wake(): void {
    if (this.#running || this.#stopped) return;
    this.#running = this.#run();
  }

  /** Refuses all who wait. Resolves when the batch that is being committed is stored or not; its waiters learn which. */
  async stop(error: KithError): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = error;
      this.#setRelaxed(false);
      const inFlight = this.#inFlight;
      this.#settle((waiter) => waiter.ticket > inFlight, error);
    }
    await this.#running;
  }

  async #run(): Promise<void> {
    // Everything that is asked for in this turn goes into the first batch.
    await null;
    try {
      for (;;) {
        const batch = this.#stopped ? undefined : this.#source.takeWork(BATCH_BYTES);
        if (!batch) return;
        await this.#carry(batch);
      }
    } catch (error) {
      // If the instance has died, this pump was stopped then.
      this.#refuse(error as KithError);
    } finally {
      // At once: whatever is asked for from here on starts anew.
      this.#running = undefined;
    }
  }

  async #carry(batch: Batch): Promise<void> {
    this.#inFlight = batch.ticket;
    try {
      await this.#store.commit(batch);
    } catch (error) {
      this.#inFlight = 0;
      this.#refuse(error as KithError);
      return;
    }
    this.#keptUpTo = batch.ticket;
    this.#settle((waiter) => waiter.ticket <= batch.ticket);
    this.#inFlight = 0;
    if (this.#stopped) return;
    this.#source.kept(batch.ticket, batch.strict);
    this.#setRelaxed(!batch.strict);
  }

  #refuse(error: KithError): void {
    const isFirst = !this.#stopped;
    this.#stopped ??= error;
    this.#setRelaxed(false);
    this.#settle(() => true, this.#stopped);
    if (isFirst) this.#failed(error);
  }

  #settle(who: (waiter: Waiter) => boolean, error?: KithError): void {
    const settled = this.#waiters.filter(who);
    this.#waiters = this.#waiters.filter((waiter) => !who(waiter));
    for (const waiter of settled) {
      if (error) waiter.failed(error);
      else waiter.kept();
    }
  }

  #setRelaxed(isRelaxed: boolean): void {
    this.#isRelaxed = isRelaxed;
    if (!isRelaxed) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (globalThis.document?.visibilityState === 'hidden') {
      // The timers of a hidden page may come a minute late.
      this.hurry();
    } else {
      this.#hurryAfter(RELAXED_MS);
    }
  }

  #hurryAfter(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.hurry();
    }, ms);
  }
}
