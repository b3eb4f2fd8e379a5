// The errors of an engine that runs in a Worker.

import { KithError } from '../errors.js';

/** The Worker's script could not be fetched or started. */
export function workerNotLoaded(cause: unknown): KithError {
  const text = cause instanceof Error ? cause.message : cause;
  return new KithError(
    {
      code: 'worker_not_loaded',
      message: `the Worker could not be started${text ? `: ${text}` : ''}`,
      hint: "a Content-Security-Policy must allow worker-src 'self'; where a bundler does not find the script, give a Worker of your own that imports 'kithdb/worker'",
    },
    cause instanceof Error ? cause : undefined,
  );
}

/** The Worker ended, and nobody asked for it. */
export function workerLost(): KithError {
  return new KithError({
    code: 'worker_lost',
    message: 'the Worker of the database ended before it answered; whether it did what was asked is not known',
    hint: 'open the database again; what was acknowledged is there',
  });
}
