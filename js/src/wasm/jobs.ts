// Runs jobs in steps that leave time for everything else: when asked to, and by themselves when due.

import type { JobKind } from '../engine/backend.js';
import { pause } from '../engine/pause.js';
import { KithError, cancelled } from '../errors.js';
import { closed } from './errors.js';
import type { Host } from './host.js';
import type { Life } from './life.js';
import type { TaskKind } from './module.js';

/** A step is to take about so long; what the core cannot divide takes longer. */
const STEP_MS = 15;

/** Documents of the first step; the next ones are chosen by how long the last one took. The bytes do not depend on it. */
const FIRST_STEP = 64;
const LARGEST_STEP = 2 ** 20;

/** A kind of job that failed by itself lets 2^n writes pass before it is tried again, this n at the most. */
const PATIENCE_MAX = 10;

interface Failures {
  inARow: number;
  writesToPass: number;
}

/** Work over a whole collection that is no job of its storage. */
interface Task {
  number: number;
  life: Life;
  isCancelled: boolean;
}

/** A job that is between two steps. */
interface Active {
  life: Life;
  kind: JobKind;
  isCancelled: boolean;
}

/** The jobs of a database. A collection has one at a time. */
export class Jobs {
  readonly #host: Host;
  /** The end of the last job of each collection. */
  readonly #queues = new Map<number, Promise<unknown>>();
  /** Jobs that are between two steps. */
  readonly #active = new Map<number, Active>();
  /** Tasks of each collection, in the order in which they were begun. */
  readonly #tasks = new Map<number, Task[]>();
  /** Collections that are being looked after in the background. */
  readonly #watched = new Set<number>();
  readonly #failures = new Map<string, Failures>();
  #isStopped = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Runs a job after those of its collection; false when there is nothing to do. */
  async run(collection: number, kind: JobKind): Promise<boolean> {
    try {
      return await this.#queue(collection, kind);
    } finally {
      this.consider(collection);
    }
  }

  /** Starts what is due, in the background. To be called after whatever changes a collection. */
  consider(collection: number): void {
    if (this.#isStopped || this.#watched.has(collection) || this.#queues.has(collection)) return;
    this.#watched.add(collection);
    this.#look(collection).finally(() => this.#watched.delete(collection));
  }

  /** Gives a job of this collection its turn: in memory nothing else makes a writer wait for anything. */
  async turn(collection: number): Promise<void> {
    if (this.#watched.has(collection) || this.#queues.has(collection)) await pause();
  }

  /** Abandons all jobs. A step is never interrupted: nothing else runs while it does. */
  stop(): void {
    this.#isStopped = true;
    for (const [collection, { life }] of this.#active) abandon(life, collection);
  }

  /** Has the running job of a collection end without having done anything; false for none, and for what writers wait for. */
  cancel(collection: number): boolean {
    const [task] = this.#tasks.get(collection) ?? [];
    if (task) {
      task.isCancelled = true;
      return true;
    }
    const active = this.#active.get(collection);
    if (!active || active.kind === 'seal') return false;
    active.isCancelled = true;
    return true;
  }

  /** The JSON of how far the task has come that was begun first; nothing for none. */
  progress(collection: number): string | undefined {
    const [task] = this.#tasks.get(collection) ?? [];
    return task?.life.call((db) => db.taskProgress(task.number));
  }

  /** Does a task over a whole collection in steps; what a step writes is kept before the next one begins. */
  async task(collection: number, kind: TaskKind, request: string): Promise<string> {
    const life = await this.#host.nextLife();
    if (this.#isStopped) throw closed('database');
    const task: Task = { number: life.call((db) => db.beginTask(collection, kind, request)), life, isCancelled: false };
    const own = this.#tasks.get(collection) ?? [];
    own.push(task);
    this.#tasks.set(collection, own);
    let ticket = 0;
    try {
      return await this.steps(
        (documents) => {
          const stepped = life.call((db) => db.stepTask(task.number, documents));
          ticket = stepped.ticket;
          return stepped.answer;
        },
        async () => {
          if (ticket > 0) {
            await life.kept(ticket);
            this.consider(collection);
          }
          if (task.isCancelled) throw cancelled(kind);
        },
      );
    } finally {
      own.splice(own.indexOf(task), 1);
      if (own.length === 0) this.#tasks.delete(collection);
      if (!this.#isStopped) forget(life, task.number);
    }
  }

  /** Calls for work in steps of about one length, until something is answered. */
  async steps<T>(
    step: (documents: number) => T | undefined,
    goesOn: () => void | Promise<void> = () => {},
  ): Promise<T> {
    let documents = FIRST_STEP;
    for (;;) {
      const start = performance.now();
      const answer = step(documents);
      if (answer !== undefined) return answer;
      documents = nextStep(documents, performance.now() - start);
      await pause();
      if (this.#isStopped) throw closed('database');
      await goesOn();
    }
  }

  async #look(collection: number): Promise<void> {
    let kind: JobKind | undefined;
    try {
      kind = this.#host.life.call((db) => db.due(collection));
      if (!kind || this.#passes(collection, kind)) return;
      while (kind) {
        await pause();
        if (this.#isStopped || !(await this.#queue(collection, kind))) return;
        this.#failures.delete(`${collection} ${kind}`);
        kind = this.#host.life.call((db) => db.due(collection));
      }
    } catch {
      // Nobody waits for this job. Whoever is harmed by what stopped it is told where it happened.
      if (kind) this.#failed(collection, kind);
    }
  }

  /** Does something while no job of a collection runs. */
  async alone<T>(collection: number, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#after(collection, work);
    } finally {
      this.consider(collection);
    }
  }

  #queue(collection: number, kind: JobKind): Promise<boolean> {
    return this.#after(collection, () => this.#work(collection, kind));
  }

  #after<T>(collection: number, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(collection);
    const job = (async () => {
      await before?.catch(() => {});
      return work();
    })();
    this.#queues.set(collection, job);
    return job.finally(() => {
      if (this.#queues.get(collection) === job) this.#queues.delete(collection);
    });
  }

  #passes(collection: number, kind: JobKind): boolean {
    const failures = this.#failures.get(`${collection} ${kind}`);
    if (!failures || failures.writesToPass === 0) return false;
    failures.writesToPass -= 1;
    return true;
  }

  #failed(collection: number, kind: JobKind): void {
    const key = `${collection} ${kind}`;
    const inARow = (this.#failures.get(key)?.inARow ?? 0) + 1;
    this.#failures.set(key, { inARow, writesToPass: 2 ** Math.min(inARow, PATIENCE_MAX) });
  }

  async #work(collection: number, kind: JobKind): Promise<boolean> {
    const life = await this.#host.nextLife();
    if (this.#isStopped) throw closed('database');
    if (!life.call((db) => db.begin(collection, kind))) return false;
    const active: Active = { life, kind, isCancelled: false };
    this.#active.set(collection, active);
    let ticket: number | undefined;
    try {
      await this.steps(
        (documents) => life.call((db) => db.step(collection, documents)) || undefined,
        () => {
          if (active.isCancelled) throw cancelled(kind);
        },
      );
      ticket = life.call((db) => db.finish(collection));
    } catch (error) {
      if (!this.#isStopped) abandon(life, collection);
      throw error;
    } finally {
      this.#active.delete(collection);
    }
    if (ticket === undefined) return false;
    await life.kept(ticket);
    return true;
  }
}

/** How many documents the next step takes, from those of the last one and the time that it took. */
export function nextStep(documents: number, ms: number): number {
  const factor = Math.min(Math.max(STEP_MS / Math.max(ms, 0.01), 0.25), 4);
  return Math.min(Math.max(Math.round(documents * factor), 1), LARGEST_STEP);
}

function forget(life: Life, task: number): void {
  try {
    life.call((db) => db.endTask(task));
  } catch (error) {
    // Its life is over, and so is the task.
    if (!(error instanceof KithError)) throw error;
  }
}

function abandon(life: Life, collection: number): void {
  try {
    life.call((db) => db.abandon(collection));
    life.wake();
  } catch (error) {
    // Its life is over, and so is the job.
    if (!(error instanceof KithError)) throw error;
  }
}
