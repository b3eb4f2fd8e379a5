// Locks of the browser: each is held until it is let go, or its page or Worker ends, also when that crashes.

import { locked, storageUnavailable } from './errors.js';
import { PREFIX } from './indexeddb.js';
import type { Release } from './store.js';

/** A lock that is held. */
export interface Hold {
  /** Lets it go; resolves when others can have it. */
  release: Release;
  /** Resolves when it is taken away. */
  stolen: Promise<void>;
}

/** Takes a lock as the options say; undefined when it is not to be waited for, and not to be had. */
export function hold(name: string, options: LockOptions): Promise<Hold | undefined> {
  return new Promise((taken, fail) => {
    const grant = (lock: Lock | null): Promise<void> | void => {
      if (!lock) return taken(undefined);
      return new Promise((letGo) => {
        const release = (): Promise<void> => {
          letGo();
          return ended.catch(() => {});
        };
        taken({ release, stolen: new Promise((gone) => ended.catch(() => gone())) });
      });
    };
    const ended: Promise<void> = navigator.locks.request(name, options, grant);
    ended.catch(fail);
  });
}

/**
 * Takes the lock of a database, or fails at once; with `shared`, those who share it take it together. An origin that is
 * not secure has no locks: there the epoch in the store is what keeps a second writer out.
 */
export async function takeLock(name: string, mode: LockMode = 'exclusive'): Promise<Release> {
  if (!globalThis.navigator?.locks) return async () => {};
  let taken: Hold | undefined;
  try {
    taken = await hold(PREFIX + name, { mode, ifAvailable: true });
  } catch (error) {
    throw storageUnavailable(error);
  }
  if (!taken) throw locked(name);
  return taken.release;
}
