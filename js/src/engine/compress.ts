// Other codes for a whole collection: segment by segment, with progress, until it is done or cancelled.

import { KithError } from '../errors.js';
import type { Codes, Collection, CompressOptions } from '../types.js';

/** How often it is looked how far a job has come, and whether it is still wanted. */
const LOOK_MS = 100;

/** Gives every segment these codes; when it is cancelled, the collection is to have the codes that it had before. */
export async function compress<M extends object>(
  collection: Collection<M>,
  codes: Codes,
  { onProgress, signal }: CompressOptions = {},
): Promise<void> {
  const before = (await collection.info()).codes;
  await collection.configure({ codes });
  // What goes wrong here nobody would catch: it ends the work as an abort does.
  let failure: unknown;
  const look = () => {
    try {
      const job = collection.job();
      if (job?.kind !== 'recode') return;
      if (signal?.aborted || failure !== undefined) collection.cancelJob();
      else onProgress?.(job);
    } catch (error) {
      failure ??= error;
    }
  };
  const looking = setInterval(look, LOOK_MS);
  signal?.addEventListener('abort', look);
  try {
    do {
      if (signal?.aborted || failure !== undefined) throw cancelled('compress');
    } while (await collection.recode());
  } catch (error) {
    if (error instanceof KithError && error.code === 'cancelled') await collection.configure({ codes: before });
    throw failure ?? error;
  } finally {
    clearInterval(looking);
    signal?.removeEventListener('abort', look);
  }
}

/** Whoever waits for what was cancelled gets this. */
export function cancelled(what: string): KithError {
  return new KithError({ code: 'cancelled', message: `${what} was cancelled` });
}
