// Requests to a server: where they go, what they carry, what their failures are called, and which are made again.

import type { Call } from '../engine/backend.js';
import { KithError, type Report, cancelled, invalidRequest, show } from '../errors.js';

/** How a server is reached. */
export interface HttpOptions {
  /** What the server knows the caller by: sent as `Authorization: Bearer`, and never part of an address. */
  token?: string | undefined;
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch | undefined;
  /** Ends every request of the connection: each throws `cancelled` from then on. */
  signal?: AbortSignal | undefined;
  /**
   * How often a request is made again that got no answer: 2 by default. Only what reads is, and what was given an
   * `idempotency_key`.
   */
  retries?: number | undefined;
}

/** One request. */
export interface Ask<T> {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `v1/`, its parts escaped. */
  path: string;
  body?: { type: string; bytes: BodyInit } | undefined;
  /** The media type that the answer is to have; left out, there is none. */
  accept?: string;
  /** Whether it changes nothing, so that it can be made again. */
  reads: boolean;
  call: Call | undefined;
  read(response: Response): Promise<T>;
}

/** The pause before a request is made again the first time; it doubles. */
const PAUSE_MS = 100;

/** A server that asks to be left alone for longer is not asked again. */
const PAUSE_MS_MAX = 10_000;

const RETRIES = 2;

/** Statuses that a server or a proxy before it answers while it cannot be reached. */
const UNREACHED = new Set([429, 502, 503, 504]);

/** A server, and what it knows the caller by. */
export class Http {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #fetch: typeof fetch;
  readonly #signal: AbortSignal | undefined;
  readonly #retries: number;
  #isClosed = false;

  constructor(url: string | URL, { token, fetch: own, signal, retries = RETRIES }: HttpOptions) {
    this.#base = baseOf(url);
    if (token !== undefined && (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))) {
      // Its value has no place in a message.
      throw invalidRequest('a token of visible ASCII characters', typeof token === 'string' ? 'another string' : token);
    }
    if (!Number.isInteger(retries) || retries < 0) throw invalidRequest('retries that is a whole number', retries);
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#fetch = own ?? ((input, init) => globalThis.fetch(input, init));
    this.#signal = signal;
    this.#retries = retries;
  }

  /** Nothing more is asked. */
  close(): void {
    this.#isClosed = true;
  }

  /** Makes a request, again where that is safe. */
  async send<T>(ask: Ask<T>): Promise<T> {
    const mayRepeat = ask.reads || ask.call?.idempotencyKey !== undefined;
    for (let attempt = 0; ; attempt++) {
      if (this.#isClosed) throw new KithError({ code: 'closed', message: 'the connection is closed' });
      const [outcome, pause] = await this.#once(ask, PAUSE_MS * 2 ** attempt);
      if (!(outcome instanceof KithError)) return outcome.value;
      if (pause === undefined || !mayRepeat || attempt >= this.#retries || pause > PAUSE_MS_MAX) throw outcome;
      await this.#pause(pause, ask.call?.signal);
    }
  }

  /** What a request answered or failed with; and after which pause it may be made again. */
  async #once<T>(ask: Ask<T>, pause: number): Promise<[{ value: T } | KithError, (number | undefined)?]> {
    const ending = this.#ending(ask.call?.signal);
    let response: Response | undefined;
    let goesOn = false;
    try {
      ending.signal.throwIfAborted();
      response = await this.#fetch(`${this.#base}v1/${ask.path}`, this.#init(ask, ending.signal));
      if (!response.ok) {
        const refused = await refusal(response);
        return UNREACHED.has(response.status) ? [refused, pauseOf(response, pause)] : [refused];
      }
      const value = await ask.read(checked(response, ask.accept));
      if (!(value instanceof ReadableStream)) return [{ value }];
      goesOn = true;
      return [{ value: listening(value as ReadableStream<Uint8Array>, ending) as T }];
    } catch (error) {
      if (ending.signal.aborted) return [cancelled('the request', ending.signal.reason)];
      if (error instanceof KithError) return [error];
      return [response ? interrupted(error) : unreachable(this.#base, error), pause];
    } finally {
      if (!goesOn) ending.done();
    }
  }

  #init<T>({ method, body, accept, call }: Ask<T>, signal: AbortSignal): RequestInit {
    const headers: Record<string, string> = { ...this.#headers };
    if (accept !== undefined) headers['accept'] = accept;
    if (body) headers['content-type'] = body.type;
    if (call?.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey;
    // Whoever redirects could be told the token, and a POST could become a GET.
    const init: RequestInit = { method, headers, signal, redirect: 'manual', credentials: 'omit', cache: 'no-store' };
    return body ? { ...init, body: body.bytes } : init;
  }

  /** Ends with the connection's signal or the call's, whichever comes first; nothing of it stays behind. */
  #ending(own: AbortSignal | undefined): Ending {
    const controller = new AbortController();
    const parts = [this.#signal, own].filter((signal) => signal !== undefined);
    const end = () => controller.abort(parts.find((signal) => signal.aborted)?.reason);
    for (const signal of parts) signal.addEventListener('abort', end);
    if (parts.some((signal) => signal.aborted)) end();
    return {
      signal: controller.signal,
      done: () => parts.forEach((signal) => signal.removeEventListener('abort', end)),
    };
  }

  async #pause(ms: number, own: AbortSignal | undefined): Promise<void> {
    const ending = this.#ending(own);
    try {
      await new Promise<void>((go) => {
        const timer = setTimeout(go, ms);
        const stop = () => {
          clearTimeout(timer);
          go();
        };
        if (ending.signal.aborted) stop();
        else ending.signal.addEventListener('abort', stop);
      });
    } finally {
      ending.done();
    }
  }
}

/** What ends a request; `done` once it is over. */
interface Ending {
  signal: AbortSignal;
  done(): void;
}

/** The stream of an answer, which can be ended until its own end or until nobody wants it. */
function listening(body: ReadableStream<Uint8Array>, ending: Ending): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          ending.done();
          controller.close();
        } catch (error) {
          ending.done();
          const { aborted, reason } = ending.signal;
          controller.error(aborted ? cancelled('the request', reason) : interrupted(error));
        }
      },
      async cancel(reason) {
        ending.done();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The address that paths are put behind. */
function baseOf(url: string | URL): string {
  let base: URL;
  try {
    base = new URL(url);
  } catch {
    throw invalidRequest('the address of a server, such as http://127.0.0.1:9091', url);
  }
  if (base.protocol !== 'http:' && base.protocol !== 'https:') {
    throw invalidRequest('an address that begins with http:// or https://', base.protocol);
  }
  if (base.username !== '' || base.password !== '') {
    throw invalidRequest('an address without a name and password: give the token as an option', 'one with them');
  }
  base.search = '';
  base.hash = '';
  return base.href.endsWith('/') ? base.href : `${base.href}/`;
}

/** An answer of the type that was asked for. */
function checked(response: Response, accept: string | undefined): Response {
  const type = (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
  if (accept === undefined || type === accept) return response;
  throw noAnswer(accept, type === '' ? `status ${response.status} without a type` : type);
}

/** What the server refused, or whoever answered in its place. */
async function refusal(response: Response): Promise<KithError> {
  const text = await response.text();
  try {
    const report = JSON.parse(text) as Partial<Report>;
    if (typeof report.code === 'string' && typeof report.message === 'string') return new KithError(report as Report);
  } catch {
    // A page of a proxy.
  }
  const { status } = response;
  const message = `the server answered ${status === 0 || response.type === 'opaqueredirect' ? 'with a redirect' : `with status ${status}`}`;
  const code = CODES[status];
  if (code) return new KithError({ code, message });
  return noAnswer("KithDB's problem+json", `status ${status}: ${show(text)}`);
}

/** Codes for what something before the server refuses. */
const CODES: Record<number, string> = {
  401: 'unauthorized',
  403: 'forbidden',
  413: 'too_large',
  429: 'unavailable',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

/** When the server wants to be asked again; undefined where it says no more than that something is wrong. */
function pauseOf(response: Response, pause: number): number | undefined {
  const after = response.headers.get('retry-after');
  if (after !== null && /^\d+$/.test(after)) return Number(after) * 1000;
  // 503 is also what a server answers that could be asked for ever.
  return response.status === 502 || response.status === 504 ? pause : undefined;
}

function unreachable(base: string, cause: unknown): KithError {
  const hint = 'see that the server runs at this address and lets this page or process in';
  return new KithError({ code: 'unreachable', message: `no answer from ${base}: ${causeOf(cause)}`, hint }, cause);
}

function interrupted(cause: unknown): KithError {
  return new KithError({ code: 'connection_lost', message: `the answer broke off: ${causeOf(cause)}` }, cause);
}

/** What came is no answer of KithDB. */
export function noAnswer(expected: string, got: string): KithError {
  const hint = 'see that the address is that of a KithDB server of this version';
  return new KithError({ code: 'invalid_answer', message: `expected ${expected}, got ${got}`, expected, got, hint });
}

/** Node tells what happened in the cause of what it throws. */
function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return String(inner);
  return inner.message === '' ? String((inner as { code?: unknown }).code ?? inner.name) : inner.message;
}
