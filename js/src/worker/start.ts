// Starts a Worker in which the engine runs, and stands in for it in the page.

import type { BackendDatabase } from '../engine/backend.js';
import { invalidRequest } from '../errors.js';
import type { HereOptions } from '../here.js';
import type { Embed } from '../types.js';
import { Client } from '../rpc/client.js';
import { portLink } from '../rpc/link.js';
import { AskedDatabase } from '../rpc/verbs.js';
import { VERSION } from '../rpc/version.js';
import { closed } from '../wasm/errors.js';
import { hold } from '../wasm/locks.js';
import type { WasmSource } from '../wasm/module.js';
import { otherBuild, workerLost, workerNotLoaded } from './errors.js';
import type { Start } from './worker.js';

/** How a database is opened in a browser. */
export interface BrowserOptions extends HereOptions {
  /**
   * Gives what comes without a vector one, in all collections that have no embedder of their own. It is called on this side,
   * wherever the engine is.
   */
  embed?: Embed | undefined;
  /**
   * True to run the engine in a Worker of its own, which ends with the database. A Worker to run it in that one: its
   * script does no more than `import 'kithdb/worker'`, and it is used for nothing else.
   */
  worker?: boolean | Worker | undefined;
}

/** How a database is opened that answers on the thread that asks. */
export interface LocalOptions extends BrowserOptions {
  worker?: false | undefined;
  shared?: false | undefined;
}

/** Opens a database in a Worker: one that is given, or started. */
export async function openInWorker(
  given: unknown,
  name: string | undefined,
  options: HereOptions,
): Promise<BackendDatabase> {
  const sendable = await prepared(options);
  const worker = given === true ? start() : checked(given);
  const engine = new WorkerEngine(worker, given !== true);
  try {
    await engine.open({ name, options: sendable });
  } catch (error) {
    engine.end(error);
    throw error;
  }
  return new AskedDatabase((asked, call) => engine.client.ask(asked, call), () => engine.close());
}

/** Bundlers look for an expression of exactly this form. */
function start(): Worker {
  if (typeof Worker === 'undefined') throw workerNotLoaded('there are no Workers here');
  try {
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  } catch (error) {
    throw workerNotLoaded(error);
  }
}

function checked(given: unknown): Worker {
  if (typeof (given as Worker | null)?.postMessage === 'function') return given as Worker;
  throw invalidRequest('worker that is true, false or a Worker', given);
}

/** A Worker that was given may hold another script, or have ended: its first answer is waited for so long. */
const START_MS = 60_000;

/** What lies there already is heard before a timer, also in a page that was asleep. */
const LATE_MS = 1000;

/** A Worker with an open database in it. */
class WorkerEngine {
  readonly client: Client;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #watching = new AbortController();
  readonly #isGiven: boolean;
  #closing: Promise<void> | undefined;

  /** One that `isGiven` may have failed before anybody listened. */
  constructor(worker: Worker, isGiven: boolean) {
    const { port1, port2 } = new MessageChannel();
    this.client = new Client(portLink(port1));
    this.#worker = worker;
    this.#isGiven = isGiven;
    this.#port = port2;
  }

  async open(what: Pick<Start, 'name' | 'options'>): Promise<void> {
    const life = `kithdb-worker:${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
    const message: Start = { kithdb: 'open', version: VERSION, life, port: this.#port, ...what };
    const failed = new Promise<never>((_, fail) => {
      this.#worker.addEventListener('error', (event) => fail(workerNotLoaded((event as ErrorEvent).message)), { once: true });
    });
    failed.catch(() => {}); // What goes wrong later is told by the calls that it harms.
    try {
      this.#worker.postMessage(message, [this.#port]);
    } catch (error) {
      throw invalidRequest('options that can be sent to a Worker', error);
    }
    const begun = Promise.race([this.client.ask({ verb: 'begin', args: [] }), failed]);
    const version = await (this.#isGiven ? inTime(begun) : begun);
    if (version !== VERSION) throw otherBuild('Worker', version);
    this.#watch(life);
    await this.client.ask({ verb: 'open', args: [] });
    globalThis.document?.addEventListener('visibilitychange', this.#onVisibility);
  }

  /** The Worker holds a lock for as long as it lives. An origin that is not secure is not told of its end. */
  #watch(life: string): void {
    if (!globalThis.navigator?.locks) return;
    hold(life, { signal: this.#watching.signal }).then(
      (taken) => {
        taken?.release();
        this.#lost();
      },
      () => {}, // It was closed.
    );
  }

  #lost(): void {
    const why = workerLost();
    this.#closing ??= Promise.resolve();
    this.end(why, closed('database', why));
  }

  /** Makes everything durable, and ends the Worker. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      try {
        await this.client.ask({ verb: 'close', args: [] });
      } finally {
        this.end(closed('database'));
      }
    })();
    return this.#closing;
  }

  /** Ends the Worker: whoever waits fails with this, and so do, or with something else, later calls. */
  end(why: unknown, later = why): void {
    globalThis.document?.removeEventListener('visibilitychange', this.#onVisibility);
    this.#watching.abort();
    this.client.end(why, later);
    this.#worker.terminate();
  }

  /** A Worker is not told that its page is hidden, and may be stopped soon. */
  readonly #onVisibility = (): void => {
    if (globalThis.document?.visibilityState === 'hidden') this.client.ask({ verb: 'flush', args: [] }).catch(() => {});
  };
}

/** What a Worker that was given answers first, or why it is not waited for any longer. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    const giveUp = (): void => fail(workerNotLoaded('it has not answered for a minute'));
    timer = setTimeout(() => (timer = setTimeout(giveUp, LATE_MS)), START_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Options as a message can carry them; addresses are those of this page. */
async function prepared(options: HereOptions): Promise<HereOptions> {
  const { wasm, embedder } = options;
  return {
    ...options,
    ...(wasm !== undefined && { wasm: await sendable(wasm) }),
    ...(typeof embedder === 'string' && { embedder: absolute(embedder) }),
  };
}

async function sendable(wasm: WasmSource): Promise<WasmSource> {
  if (typeof wasm === 'string' || wasm instanceof URL) return absolute(String(wasm));
  return typeof Response !== 'undefined' && wasm instanceof Response ? wasm.arrayBuffer() : wasm;
}

function absolute(address: string): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  return URL.canParse(address, base) ? new URL(address, base).href : address;
}
