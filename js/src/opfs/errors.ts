// The errors of a database in the origin private file system, and of one that is asked for where it is not.

import { KithError } from '../errors.js';
import { storageFailed, storageLost } from '../wasm/errors.js';
import type { Place } from './places.js';

const NAMES: Record<Place, string> = { indexeddb: 'IndexedDB', opfs: 'the origin private file system' };

/** Only a dedicated Worker may read and write there without waiting. */
export function needsWorker(name: string): KithError {
  return new KithError({
    code: 'unsupported',
    message: `database ${JSON.stringify(name)} cannot be open here in ${NAMES.opfs}: only a dedicated Worker can use that`,
    hint: 'open the database with `worker: true`, or in a Worker of your own',
  });
}

/** In the first browsers that had such files a Worker has to wait for each cut and flush. */
export function waits(name: string): KithError {
  return new KithError({
    code: 'unsupported',
    message: `database ${JSON.stringify(name)} cannot be open in ${NAMES.opfs}: this browser is too old for that`,
    expected: 'access handles whose methods answer at once',
    got: 'access handles whose methods answer promises',
    hint: 'update the browser (Chromium 108, Safari 16.4, or later ones), or leave `storage` out to keep the database in IndexedDB',
  });
}

/** What is kept there belongs to one tab. */
export function notShared(name: string): KithError {
  return new KithError({
    code: 'unsupported',
    message: `database ${JSON.stringify(name)} cannot be shared by tabs in ${NAMES.opfs}`,
    hint: 'open it without `shared`, in one tab at a time; a database in IndexedDB can be shared',
  });
}

/** It would be a second database of the name. */
export function keptElsewhere(name: string, place: Place, asked: Place): KithError {
  return new KithError({
    code: 'invalid_request',
    message: `database ${JSON.stringify(name)} is kept in ${NAMES[place]}, not in ${NAMES[asked]}`,
    expected: `storage '${place}', or none`,
    got: `'${asked}'`,
    hint: 'leave `storage` out to open it; to move it, import what its collections export into a database of another name',
  });
}

/** Something that is not of this package, or a browser that hid one of them for a while, let a second one be made. */
export function keptTwice(name: string): KithError {
  return new KithError({
    code: 'invalid_request',
    message: `there are two databases ${JSON.stringify(name)}, one in ${NAMES.indexeddb} and one in ${NAMES.opfs}`,
    expected: "storage 'indexeddb' or 'opfs'",
    got: 'none',
    hint: 'say with `storage` which of them is meant',
  });
}

/** There is no such place. */
export function unavailable(cause: unknown): KithError {
  const text = cause instanceof Error || cause instanceof DOMException ? cause.message || cause.name : String(cause);
  const report = {
    code: 'storage_unavailable',
    message: `this page cannot use ${NAMES.opfs}: ${text}`,
    hint: 'leave `storage` out to keep the database in IndexedDB, or leave private browsing',
  };
  return new KithError(report, cause);
}

/** After that nobody knows what is on the disk: it is never a matter of room, and final. */
export function unsynced(cause: unknown): KithError {
  const { message } = storageFailed('make durable what was written', cause);
  return new KithError({ code: 'storage_lost', message, hint: 'open the database again, and look what it holds' }, cause);
}

/** Two files that cannot be told apart by age: damage, or a copy that was not made by this package. */
export function ambiguous(name: string, one: string, other: string): KithError {
  return new KithError({
    code: 'corrupt',
    message: `database ${JSON.stringify(name)} has two files of one number in ${NAMES.opfs}: ${one} and ${other}`,
    expected: 'files that were made one after the other',
    got: `${one} and ${other}`,
    hint: 'nothing was changed; import an export of it into a database of another name',
  });
}

/** What the file system failed with. */
export function failed(action: string, cause: unknown): KithError {
  return isNotFound(cause) ? storageLost('the browser has cleared the storage') : storageFailed(action, cause);
}

/** Whether what a name stands for is something else: a file of the application where a directory would be. */
export function isOfAnotherKind(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'TypeMismatchError';
}

/** Whether there is no file or directory of a name. */
export function isNotFound(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'NotFoundError';
}
