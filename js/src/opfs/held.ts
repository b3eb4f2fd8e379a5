// Files that something still holds: a Worker that was ended may do so a moment longer than its lock.

import { locked } from '../wasm/errors.js';

/** Looks, and milliseconds between them. */
const [LOOKS, LOOK_MS] = [100, 20];

/** Does what needs a file or a directory that nothing holds; `database_locked` where something goes on holding it. */
export async function whileHeld<T>(database: string, work: () => Promise<T>): Promise<T> {
  for (let look = 1; ; look += 1) {
    try {
      return await work();
    } catch (error) {
      const isHeld = error instanceof DOMException && error.name === 'NoModificationAllowedError';
      if (!isHeld) throw error;
      if (look === LOOKS) throw locked(database);
      await new Promise((again) => setTimeout(again, LOOK_MS));
    }
  }
}
