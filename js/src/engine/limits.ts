// Limits of the core (core/src/base/limits.rs) that are looked at on this side, before something is done in vain.

import { KithError } from '../errors.js';

/** Most documents in one batch, and in one bulk import. */
export const BATCH_MAX = 50_000;
export const BULK_MAX = 1_000_000;

/** Most searches in one batch. */
export const SEARCHES_MAX = 1_000;

/** Most results of one search that explains each. */
export const EXPLAIN_MAX = 1_000;

/** Refuses what is too large, as the core does. */
export function checkCount(what: string, got: number, limit: number): void {
  if (got <= limit) return;
  const message = `${what} is too large: expected at most ${limit}, got ${got}`;
  throw new KithError({ code: 'too_large', message, expected: `at most ${limit}`, got: `${got}` });
}
