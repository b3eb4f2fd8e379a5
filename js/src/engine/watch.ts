// Work that `job` tells of: how far it has come, until it is done or cancelled.

import { cancelled } from '../errors.js';
import type { Job, WatchOptions } from '../types.js';

/** How often it is looked how far a job has come, and whether it is still wanted. */
const LOOK_MS = 100;

/** Who runs jobs. */
interface Jobs {
  job(): Promise<Job | null>;
  cancelJob(): Promise<boolean>;
}

/**
 * Waits for work that runs jobs of a kind; cancels them when the signal says so, or `onProgress` fails. `work` is asked to
 * call its argument between two jobs: it throws once there are to be no more.
 */
export async function watched<T>(
  jobs: Jobs,
  kind: Job['kind'],
  what: string,
  work: (goesOn: () => void) => Promise<T>,
  { onProgress, signal }: WatchOptions = {},
): Promise<T> {
  // What goes wrong here nobody would catch: it ends the work as an abort does.
  let failure: unknown;
  let isLooking = false;
  const tell = (job: Job): void => {
    try {
      onProgress?.(job);
    } catch (error) {
      failure ??= error;
    }
  };
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const job = await jobs.job();
      if (job?.kind !== kind) return;
      if (!signal?.aborted && failure === undefined) tell(job);
      // Who gives up while being told need not hope that the job goes on until the next look.
      if (signal?.aborted || failure !== undefined) await jobs.cancelJob();
    } catch (error) {
      failure ??= error;
    } finally {
      isLooking = false;
    }
  };
  const goesOn = () => {
    if (signal?.aborted || failure !== undefined) throw cancelled(what, signal?.reason);
  };
  const looking = onProgress || signal ? setInterval(look, LOOK_MS) : undefined;
  signal?.addEventListener('abort', look);
  try {
    goesOn();
    return await work(goesOn);
  } catch (error) {
    throw failure ?? error;
  } finally {
    clearInterval(looking);
    signal?.removeEventListener('abort', look);
  }
}
