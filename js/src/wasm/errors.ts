// The errors of the browser engine that the core cannot report: of the tab, its storage and a dead instance.

import { reported } from '../engine/backend.js';
import { KithError } from '../errors.js';

/** Later calls to what is closed; `why` when nobody asked for it. */
export function closed(what: 'database' | 'collection', why?: KithError): KithError {
  const message = `the ${what} is closed`;
  if (!why) return new KithError({ code: 'closed', message });
  const report = { code: 'closed', message: `${message}: ${why.message}` };
  return new KithError(why.hint === undefined ? report : { ...report, hint: why.hint }, why);
}

/** A blob of which the store has fewer bytes than it lists. */
export function incomplete(storage: number, blob: number, length: number, there: number): KithError {
  const [expected, got] = [`${length} bytes`, `${there}`];
  const message = `storage ${storage}, blob ${blob} is damaged: expected ${expected}, got ${got}`;
  return new KithError({ code: 'corrupt', message, expected, got, hint: 'import an export of it into a database of another name' });
}

/** A call that cannot wait, while the instance is made anew. */
export function restarting(): KithError {
  return new KithError({
    code: 'restarting',
    message: 'the database is restarting after a failure',
    hint: 'await any other call first',
  });
}

/** Another tab, or another handle of this one, has the database. */
export function locked(name: string): KithError {
  return new KithError({
    code: 'database_locked',
    message: `database ${JSON.stringify(name)} is open elsewhere in this browser`,
    hint: 'close the other tab, or the other handle in this one',
  });
}

/** A connection that is not of this package keeps a database from being deleted. */
export function deletePending(name: string): KithError {
  return new KithError({
    code: 'delete_pending',
    message: `database ${JSON.stringify(name)} is held open by a connection that does not close when it is asked to`,
    hint: 'close the other pages of this origin: the browser deletes it then, and until then it cannot be opened',
  });
}

/** Another tab has opened the database since; where there are no locks, this is how one learns it. */
export function fenced(name: string): KithError {
  return new KithError({
    code: 'database_locked',
    message: `database ${JSON.stringify(name)} was opened by another tab meanwhile`,
    hint: 'close one of the two and open it again',
  });
}

/** The browser took the storage away. */
export function storageLost(message: string): KithError {
  return new KithError({
    code: 'storage_lost',
    message,
    hint: 'open the database again; it is empty if its data was cleared',
  });
}

/** There is no IndexedDB to be used. */
export function storageUnavailable(cause: unknown): KithError {
  const report = {
    code: 'storage_unavailable',
    message: `this page cannot use IndexedDB: ${text(cause)}`,
    hint: 'use openMemory, or leave private browsing',
  };
  return new KithError(report, cause);
}

/** A later version of KithDB wrote what is stored. */
export function unsupportedVersion(name: string, expected: string, got: string): KithError {
  return new KithError({
    code: 'unsupported_version',
    message: `database ${JSON.stringify(name)} needs a reader of ${got}, this one reads ${expected}`,
    expected,
    got,
    hint: 'open the database with the version that wrote it, or a newer one',
  });
}

/** The module could not be fetched, compiled or started. */
export function notLoaded(cause: unknown): KithError {
  const report = {
    code: 'wasm_not_loaded',
    message: `the wasm module could not be loaded: ${text(cause)}`,
    hint: "say where it is with the option `wasm`, in Node by its bytes; a Content-Security-Policy must allow 'wasm-unsafe-eval'",
  };
  return new KithError(report, cause);
}

/** What IndexedDB failed with. */
export function storageFailed(action: string, cause: unknown): KithError {
  if (cause instanceof KithError) return cause;
  const name = cause instanceof Error || isException(cause) ? cause.name : '';
  if (name === 'QuotaExceededError') {
    const report = {
      code: 'disk_full',
      message: `no space left to ${action}`,
      hint: 'delete something or free some space; the database shows what is stored and takes writes again',
    };
    return new KithError(report, cause);
  }
  if (name === 'InvalidStateError') return storageLost(`the browser has closed the storage: ${text(cause)}`);
  return new KithError({ code: 'io_failed', message: `the browser failed to ${action}: ${text(cause)}` }, cause);
}

function isException(value: unknown): value is DOMException {
  return typeof DOMException === 'function' && value instanceof DOMException;
}

/** Why an instance died: whatever it threw that is not a report. */
export function death(thrown: unknown): KithError {
  const isTrap = thrown instanceof WebAssembly.RuntimeError;
  // A failed allocation aborts, and aborting is an instruction of this name.
  if (isTrap && /unreachable/i.test(thrown.message)) {
    const report = {
      code: 'out_of_memory',
      message: 'the wasm instance ran out of memory',
      hint: 'write smaller batches, keep fewer documents in this database, or open it in a tab of its own',
    };
    return new KithError(report, thrown);
  }
  return new KithError({ code: 'internal', message: `the wasm instance died: ${text(thrown)}` }, thrown);
}

/** A thrown value as an error of ours; undefined when the instance that threw it is dead. */
export function refusal(thrown: unknown): KithError | undefined {
  return thrown instanceof KithError ? thrown : reported(thrown);
}

function text(thrown: unknown): string {
  return thrown instanceof Error || isException(thrown) ? thrown.message || thrown.name : String(thrown);
}
