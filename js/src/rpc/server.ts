// The end of a link that answers.

import { wait } from '../engine/backend.js';
import { pause } from '../engine/pause.js';
import { type KithError, cancelled } from '../errors.js';
import type { Told } from '../tabs/told.js';
import type { Link } from './link.js';
import { type Request, type Response, buffersOf, failureOf } from './messages.js';
import type { Ask, Asked } from './verbs.js';

interface Queued {
  id: number;
  asked: Asked;
  giveUp: AbortController;
}

/** Answers what is asked over a link, each call when it is done. */
export class Server {
  readonly #link: Link;
  readonly #ask: Ask;
  /** Calls that were not begun. */
  readonly #queue: Queued[] = [];
  /** Those and the ones that are under way. */
  readonly #calls = new Map<number, Queued>();
  #isBeginning = false;
  #isClosed = false;
  /** What every call that was not begun fails with. */
  #refusal: KithError | undefined;

  constructor(link: Link, ask: Ask) {
    this.#link = link;
    this.#ask = ask;
    link.listen((message) => this.#take(message as Request));
  }

  /** Begins nothing any more: calls that wait, and those that come, fail with this before they return. */
  refuse(why: KithError): void {
    this.#refusal = why;
    for (const { id } of this.#queue.splice(0)) this.#fail(id, why);
  }

  /** Tells what was stored: before whatever is answered later. */
  tell(told: readonly Told[]): void {
    this.#post({ told });
  }

  /** Takes and answers nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#link.close();
  }

  #take(message: Request): void {
    if ('ping' in message) {
      // A frozen page still hears channels, and does nothing else: this is answered as its calls would be.
      pause().then(() => this.#post({ pong: message.ping }));
      return;
    }
    if ('cancel' in message) return this.#calls.get(message.cancel)?.giveUp.abort();
    const { id, ...asked } = message;
    if (this.#refusal) return this.#fail(id, this.#refusal);
    const queued = { id, asked, giveUp: new AbortController() };
    this.#calls.set(id, queued);
    this.#queue.push(queued);
    if (!this.#isBeginning) this.#begin();
  }

  /**
   * Begins calls in their order. Whatever has arrived is taken before each: of ten searches that were asked for while
   * something else was done, nine may have been given up.
   */
  async #begin(): Promise<void> {
    this.#isBeginning = true;
    while (this.#queue.length > 0) {
      await pause();
      const next = this.#queue.shift();
      if (this.#isClosed) break;
      if (next) this.#answer(next);
    }
    this.#isBeginning = false;
  }

  async #answer({ id, asked, giveUp: { signal } }: Queued): Promise<void> {
    let response: Response;
    try {
      if (signal.aborted) throw cancelled('the call');
      const progress = (done: number, total: number) => this.#post({ id, progress: [done, total] });
      response = { id, value: await wait(() => this.#ask(asked, { signal, progress })) };
    } catch (error) {
      response = { id, failure: failureOf(error) };
    }
    this.#calls.delete(id);
    try {
      this.#post(response, 'value' in response ? buffersOf([response.value]) : []);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #fail(id: number, why: unknown): void {
    this.#calls.delete(id);
    this.#post({ id, failure: failureOf(why) });
  }

  #post(response: Response, handed: ArrayBuffer[] = []): void {
    if (!this.#isClosed) this.#link.post(response, handed);
  }
}
