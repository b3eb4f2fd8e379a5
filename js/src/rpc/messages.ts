// What goes over a link: calls and what ends them one way, answers the other. Errors go as what they report.

import { KithError, type Report } from '../errors.js';
import type { Told } from '../tabs/told.js';
import type { Asked } from './verbs.js';

/** From who asks. */
export type Request =
  | ({ id: number } & Asked)
  /** Who asked that has given up. */
  | { cancel: number }
  /** Is anybody there? */
  | { ping: number };

/** From who answers. */
export type Response =
  | { id: number; value: unknown }
  | { id: number; failure: Failure }
  /** How far a call is that goes on. */
  | { id: number; progress: [done: number, total: number] }
  | { pong: number }
  /** What was stored, to who asked to be told. */
  | { told: readonly Told[] };

/** An error as it can be sent: a report of ours, or the name and message of another's. */
export interface Failure {
  report?: Report;
  name: string;
  message: string;
  cause?: Failure;
}

/** So many causes of causes are told. */
const CAUSES_MAX = 4;

const FIELDS = ['expected', 'got', 'position', 'hint'] as const;

/** An error, to be sent. */
export function failureOf(error: unknown, causes = CAUSES_MAX): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const failure: Failure = { name: error.name, message: error.message };
  if (error instanceof KithError) {
    const given = FIELDS.filter((field) => error[field] !== undefined).map((field) => [field, error[field]]);
    failure.report = { code: error.code, message: error.message, ...Object.fromEntries(given) };
  }
  if (error.cause !== undefined && causes > 0) failure.cause = failureOf(error.cause, causes - 1);
  return failure;
}

/** The error that was sent. */
export function errorOf({ report, name, message, cause }: Failure): Error {
  const reason = cause && errorOf(cause);
  if (report) return new KithError(report, reason);
  const error = new Error(message, reason && { cause: reason });
  error.name = name;
  return error;
}

/** What holds memory is nested no deeper: a list of answers, an answer, its vectors. */
const DEPTH = 4;

/** The memory of what is sent that can go over instead of being copied: all that nothing else is in. */
export function buffersOf(sent: unknown[]): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  for (const value of sent) collect(value, found, DEPTH);
  return [...found];
}

function collect(value: unknown, found: Set<ArrayBuffer>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth === 0) return;
  if (ArrayBuffer.isView(value)) {
    const { buffer } = value;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === value.byteLength && buffer.byteLength > 0) found.add(buffer);
    return;
  }
  // An array of ids holds no memory: one look tells.
  if (Array.isArray(value) && typeof value[0] !== 'object') return;
  for (const part of Object.values(value)) collect(part, found, depth - 1);
}
