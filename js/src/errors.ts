// The one error that every engine throws, made of the core's report.

/** What the core reports of an error. */
export interface Report {
  /** Stable and meant for programs, for example `unknown_collection`. */
  code: string;
  /** Meant for people. */
  message: string;
  /** What would have been accepted. */
  expected?: string;
  /** What was given. */
  got?: string;
  /** Byte offset within the given text (in UTF-8) or file. */
  position?: number;
  /** What to do next. */
  hint?: string;
}

/** Any error of KithDB. `code` is the same in Rust, JavaScript and REST. */
export class KithError extends Error {
  override readonly name = 'KithError';
  /** Stable and meant for programs, for example `unknown_collection`; `internal` for a bug of ours. */
  readonly code: string;
  /** What would have been accepted. */
  readonly expected: string | undefined;
  /** What was given. */
  readonly got: string | undefined;
  /** Byte offset within the given text (in UTF-8) or file. */
  readonly position: number | undefined;
  /** What to do next. */
  readonly hint: string | undefined;

  /** From a report of the core; `cause` is what carried it. */
  constructor(report: Report, cause?: unknown) {
    super(report.message, cause === undefined ? undefined : { cause });
    this.code = report.code;
    this.expected = report.expected;
    this.got = report.got;
    this.position = report.position;
    this.hint = report.hint;
  }
}

/** A request that the engine cannot be asked: it does not have the shape of one. */
export function invalidRequest(expected: string, got: unknown): KithError {
  const shown = show(got);
  return new KithError({ code: 'invalid_request', message: `invalid request: ${expected}, got ${shown}`, expected, got: shown });
}

/** Metadata that JSON cannot hold as it is. */
export function invalidMetadata(expected: string, got: string): KithError {
  return new KithError({ code: 'invalid_metadata', message: `invalid metadata: expected ${expected}, got ${got}`, expected, got });
}

/** Whoever waits for what was cancelled gets this. */
export function cancelled(what: string, cause?: unknown): KithError {
  return new KithError({ code: 'cancelled', message: `${what} was cancelled` }, cause);
}

/** What this engine cannot do. */
export function unsupported(what: string, hint = 'use the verb that answers a promise'): KithError {
  return new KithError({ code: 'unsupported', message: `${what} is not possible with this engine`, hint });
}

/** A value in a few words, for a message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}...` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : kind(value);
  return String(value);
}

function kind(value: object): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return tag === 'Object' ? 'an object' : `a value of type ${tag}`;
}
