// One tab at a time: a lock of the browser that is held while a database is open, and that ends with the page.

import { locked, storageUnavailable } from './errors.js';
import { PREFIX } from './indexeddb.js';
import type { Release } from './store.js';

/**
 * Takes the lock of a database, or fails at once. An origin that is not secure has no locks: there the epoch in the
 * store is what keeps a second writer out.
 */
export function takeLock(name: string): Promise<Release> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return Promise.resolve(async () => {});
  return new Promise((taken, fail) => {
    const hold = (lock: Lock | null): Promise<void> | void => {
      if (!lock) return fail(locked(name));
      return new Promise((letGo) => {
        taken(() => {
          letGo();
          return held;
        });
      });
    };
    const held: Promise<void> = locks.request(PREFIX + name, { ifAvailable: true }, hold);
    held.catch((error: unknown) => fail(storageUnavailable(error)));
  });
}
