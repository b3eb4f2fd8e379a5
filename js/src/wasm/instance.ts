// An instance of the wasm module: all databases of a page live in one, and die with it.

import { KithError } from '../errors.js';
import { death, notLoaded, refusal } from './errors.js';
import type { WasmModule } from './module.js';

/** Whoever has a database inside an instance. */
export interface Inhabitant {
  /** The instance is dead, and what was in it gone; `guilty` when it died in a call of this inhabitant. */
  died(why: KithError, guilty: boolean): void;
}

/** One life of an instance, from its start to its death. */
export class Instance {
  readonly module: WasmModule;
  readonly #inhabitants = new Set<Inhabitant>();
  readonly #emptied: () => void;
  #death: KithError | undefined;

  constructor(module: WasmModule, emptied: () => void) {
    this.module = module;
    this.#emptied = emptied;
  }

  get dead(): boolean {
    return this.#death !== undefined;
  }

  /** Bytes of memory that it has taken; it gives none of them back while it lives. */
  async memory(): Promise<number> {
    return (await this.module.default()).memory.buffer.byteLength;
  }

  enter(inhabitant: Inhabitant): this {
    this.#inhabitants.add(inhabitant);
    return this;
  }

  leave(inhabitant: Inhabitant): void {
    const isLast = this.#inhabitants.delete(inhabitant) && this.#inhabitants.size === 0;
    if (isLast && !this.dead) this.#emptied();
  }

  /** Calls into the instance. What it refuses is thrown as our error; anything else it throws is its end. */
  call<T>(inhabitant: Inhabitant, work: () => T): T {
    if (this.#death) throw this.#death;
    try {
      return work();
    } catch (thrown) {
      throw refusal(thrown) ?? this.#die(death(thrown), inhabitant);
    }
  }

  #die(why: KithError, guilty: Inhabitant): KithError {
    this.#death = why;
    const inhabitants = [...this.#inhabitants];
    this.#inhabitants.clear();
    for (const inhabitant of inhabitants) inhabitant.died(why, inhabitant === guilty);
    // Calls that are under way in it end first: whatever they still touch is its memory.
    queueMicrotask(this.#emptied);
    return why;
  }
}

/** A loaded module and its living instance. A module has one instance at a time. */
export class Instances {
  readonly #module: WasmModule;
  readonly #canReset: boolean;
  #current: Instance;
  /** The current one is to be replaced before anybody enters. */
  #isSpent = false;

  /** Of a module whose first instance is made. Without `canReset` that is also its last. */
  constructor(module: WasmModule, canReset: boolean) {
    this.#module = module;
    this.#canReset = canReset;
    this.#current = this.#begin();
  }

  /** Whether there is, or can be, a living instance. */
  get usable(): boolean {
    return this.#canReset || !this.#current.dead;
  }

  /** Enters the living instance, which is a new one if the last one died. */
  enter(inhabitant: Inhabitant): Instance {
    if (this.#current.dead || this.#isSpent) this.#renew();
    return this.#current.enter(inhabitant);
  }

  #begin(): Instance {
    const instance: Instance = new Instance(this.#module, () => {
      // After its death somebody may have entered the next one already.
      if (!this.#canReset || this.#current !== instance) return;
      this.#isSpent = true;
      try {
        // Memory never shrinks: what the last inhabitant has taken goes back with the instance.
        this.#renew();
      } catch {
        // Whoever enters next tries again, and is told.
      }
    });
    return instance;
  }

  #renew(): void {
    if (!this.#module.__wbg_reset_state) throw notLoaded('its instance died, and it has no way to make another');
    try {
      this.#module.__wbg_reset_state();
    } catch (error) {
      throw notLoaded(error);
    }
    this.#isSpent = false;
    this.#current = this.#begin();
  }
}
