// Keeps a database alive in a tab: restores it after a failed commit or the death of its instance, and ends it well.

import type { KithError } from '../errors.js';
import { closed, restarting } from './errors.js';
import type { Inhabitant, Instance } from './instance.js';
import { Life } from './life.js';
import type { Enter } from './load.js';
import type { WasmDatabase } from './module.js';
import { type Ingredients, inMemory, restored } from './restore.js';
import type { Release, Store } from './store.js';

/** After so many deaths in a row, without a call that succeeded, it stays closed. */
const DEATHS_MAX = 3;

/** After a store has refused something it is tried again after so long, then after twice that, up to the most. */
const [RETRY_MS, RETRY_MS_MAX] = [1000, 60_000];

/** What a database is opened with. */
export interface HostParts extends Ingredients {
  enter: Enter;
  /** Where it is kept; undefined for one in memory. */
  store: Store | undefined;
  /** Lets go of whatever else was taken to open it. */
  release: Release;
}

/** An open database. */
export class Host implements Inhabitant {
  readonly #parts: HostParts;
  #life: Life | undefined;
  #restart: Promise<void> | undefined;
  /** How many lives in a row ended because their store refused something. */
  #refusals = 0;
  /** Set when it is closed, or being closed. */
  #closed: KithError | undefined;
  #closing: Promise<void> | undefined;
  #releasing: Promise<void> | undefined;
  #deaths = 0;

  private constructor(parts: HostParts) {
    this.#parts = parts;
  }

  /** Opens a database. When that fails, what was taken is let go. */
  static async open(parts: HostParts): Promise<Host> {
    const host = new Host(parts);
    if (parts.store) {
      parts.store.onLost = (error) => {
        if (host.#life) host.#lose(host.#life, error);
      };
    }
    try {
      await host.#begin();
    } catch (error) {
      await host.#release();
      throw error;
    }
    globalThis.document?.addEventListener('visibilitychange', host.#onVisibility);
    return host;
  }

  /** Whether a call would be done at once. */
  get isReady(): boolean {
    return this.#life !== undefined && !this.#closed;
  }

  /** The current life; throws when there is none now. */
  get life(): Life {
    if (this.#closed) throw this.#closed;
    if (!this.#life) throw restarting();
    return this.#life;
  }

  /** The current life, or the next one when it is restarting. */
  async nextLife(): Promise<Life> {
    while (this.#restart && !this.#closed) await this.#restart;
    return this.life;
  }

  /** A call of a user: unless the instance dies of it, it shows that it works. */
  call<T>(work: (database: WasmDatabase) => T): T {
    const life = this.life;
    try {
      return life.call(work);
    } finally {
      if (this.#life === life) this.#deaths = 0;
    }
  }

  /** Makes everything durable and lets go. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  died(why: KithError, isGuilty: boolean): void {
    if (isGuilty) this.#deaths += 1;
    if (this.#life) this.#lose(this.#life, why);
  }

  /** Begins a life, after early deaths once more. */
  async #begin(): Promise<void> {
    for (;;) {
      const instance = await this.#parts.enter(this);
      try {
        await this.#beginIn(instance);
        return;
      } catch (error) {
        if (!instance.dead || this.#deaths >= DEATHS_MAX) {
          instance.leave(this);
          throw error;
        }
      }
    }
  }

  async #beginIn(instance: Instance): Promise<void> {
    const { store } = this.#parts;
    const database = store
      ? await restored(instance, this, this.#parts, store)
      : inMemory(instance, this, this.#parts);
    // It may have died of another database meanwhile; this throws then.
    instance.call(this, () => {});
    this.#life = new Life(instance, this, database, store, (life, error) => this.#lose(life, error, true));
    // Restoring leaves something to store: what was found is made durable. A store that has just refused something may refuse that,
    // too, and everything is read again after each time.
    if (this.#refusals === 0) this.#life.wake();
    else this.#life.syncLater(Math.min(RETRY_MS * 2 ** (this.#refusals - 1), RETRY_MS_MAX));
  }

  /** A life has ended without being asked to: what it did not keep is refused, and the next one begins. */
  #lose(life: Life, why: KithError, isRefused = false): void {
    if (this.#life !== life) return;
    this.#life = undefined;
    if (!isRefused) this.#refusals = 0;
    else this.#refusals = life.hasKept ? 1 : this.#refusals + 1;
    const settled = life.end(why);
    if (this.#closed) return;
    if (!this.#parts.store || this.#deaths >= DEATHS_MAX || FINAL.has(why.code)) {
      this.#closed = closed('database', why);
      this.#releasing = settled.then(() => this.#letGo());
      this.#releasing.catch(() => {}); // Whoever closes it is told.
    } else {
      const restart = this.#restartAfter(settled).finally(() => {
        // The life that it began may have ended at once, and another one follow.
        if (this.#restart === restart) this.#restart = undefined;
      });
      this.#restart = restart;
    }
  }

  async #restartAfter(settled: Promise<void>): Promise<void> {
    try {
      await settled;
      await this.#begin();
    } catch (error) {
      // Whoever closes it meanwhile also lets go.
      if (!this.#closed) {
        this.#closed = closed('database', error as KithError);
        await this.#release();
      }
    }
  }

  async #close(): Promise<void> {
    // Who is told that it is closed can open it again.
    if (this.#closed) return this.#releasing;
    this.#closed = closed('database');
    try {
      await this.#restart;
      const life = this.#life;
      const isDurable = await life?.sync().then(() => true, () => false);
      this.#life = undefined;
      await life?.end(this.#closed);
      // What was refused was told to those who asked for it. What was kept is made durable, with an instance or without.
      if (!isDurable) await this.#parts.store?.commit({ ticket: 0, strict: true, work: [{ kind: 'sync' }] });
    } finally {
      await this.#release();
    }
  }

  readonly #onVisibility = (): void => {
    if (globalThis.document?.visibilityState === 'hidden') this.#life?.hurry();
  };

  #release(): Promise<void> {
    this.#releasing ??= this.#letGo();
    return this.#releasing;
  }

  async #letGo(): Promise<void> {
    globalThis.document?.removeEventListener('visibilitychange', this.#onVisibility);
    try {
      await this.#parts.store?.close();
    } finally {
      await this.#parts.release();
    }
  }
}

/** Failures after which the store is not ours any more. */
const FINAL = new Set(['database_locked', 'storage_lost']);
