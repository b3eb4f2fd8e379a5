// The end of a link that asks.

import type { Call } from '../engine/backend.js';
import type { Told } from '../tabs/told.js';
import type { Link } from './link.js';
import { type Request, type Response, buffersOf, errorOf } from './messages.js';
import type { Asked } from './verbs.js';

interface Waiter {
  answered: (value: unknown) => void;
  failed: (error: unknown) => void;
  /** Stops looking whether the caller gives up. */
  settled: () => void;
  progress: Call['progress'];
}

/** Asks over a link, and hands each answer to whoever waits for it. */
export class Client {
  readonly #link: Link;
  readonly #heard: () => void;
  readonly #told: (told: readonly Told[]) => void;
  readonly #waiting = new Map<number, Waiter>();
  /** Not from 1 on: what a link of the same name was asked before may be answered late. */
  #last = Math.floor(Math.random() * 2 ** 40);
  #ended: { why: unknown } | undefined;
  #idle: (() => void)[] = [];

  /** `heard` is called whenever the other end shows that it is there, `told` with what it tells of itself. */
  constructor(link: Link, heard: () => void = () => {}, told: (told: readonly Told[]) => void = () => {}) {
    this.#link = link;
    this.#heard = heard;
    this.#told = told;
    link.listen((message) => this.#take(message as Response));
  }

  /** Whether anybody waits for an answer. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Asks. Who gives up waiting has the call dropped if it was not begun; else it is answered as ever. */
  ask(asked: Asked, call?: Call): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended.why);
    const id = ++this.#last;
    const signal = call?.signal;
    return new Promise((answered, failed) => {
      this.#post({ id, ...asked }, buffersOf(asked.args));
      const cancel = () => this.#post({ cancel: id });
      signal?.addEventListener('abort', cancel, { once: true });
      const settled = () => signal?.removeEventListener('abort', cancel);
      this.#waiting.set(id, { answered, failed, settled, progress: call?.progress });
    });
  }

  /** Asks the other end to show that it is there. */
  ping(): void {
    this.#post({ ping: ++this.#last });
  }

  /** Resolves when nobody waits for an answer. */
  idle(): Promise<void> {
    return this.isWaiting ? new Promise((go) => this.#idle.push(go)) : Promise.resolve();
  }

  /** Nothing comes any more: whoever waits fails with this, and so does, or with something else, whoever asks later. */
  end(why: unknown, later = why): void {
    if (this.#ended) return;
    this.#ended = { why: later };
    this.#link.close();
    for (const id of [...this.#waiting.keys()]) this.#settle(id, ({ failed }) => failed(why));
  }

  #post(request: Request, handed: ArrayBuffer[] = []): void {
    if (!this.#ended) this.#link.post(request, handed);
  }

  #take(message: Response): void {
    this.#heard();
    if ('pong' in message) return;
    if ('told' in message) return this.#told(message.told);
    if ('progress' in message) return this.#progressed(message.id, message.progress);
    this.#settle(message.id, ({ answered, failed }) => {
      if ('failure' in message) failed(errorOf(message.failure));
      else answered(message.value);
    });
  }

  /** Tells how far a call is; where that throws the call ends with it, as where the engine is near. */
  #progressed(id: number, progress: [done: number, total: number]): void {
    try {
      this.#waiting.get(id)?.progress?.(...progress);
    } catch (error) {
      this.#post({ cancel: id });
      this.#settle(id, ({ failed }) => failed(error));
    }
  }

  #settle(id: number, how: (waiter: Waiter) => void): void {
    const waiter = this.#waiting.get(id);
    if (!waiter) return;
    this.#waiting.delete(id);
    waiter.settled();
    how(waiter);
    if (!this.isWaiting) for (const go of this.#idle.splice(0)) go();
  }
}
