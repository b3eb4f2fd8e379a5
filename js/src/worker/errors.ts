// The errors of an engine that runs in a Worker.

import { KithError } from '../errors.js';
import { VERSION } from '../rpc/version.js';

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

/** One of the two is of another build of the package, for example a script that was kept in a cache. */
export function otherBuild(who: 'Worker' | 'page', got: unknown): KithError {
  const told = typeof got === 'number' ? `version ${got}` : 'an older version';
  return new KithError({
    code: 'unsupported_version',
    message: `the ${who} speaks ${told} of the messages between a page and its Worker, this one version ${VERSION}`,
    expected: `version ${VERSION}`,
    got: told,
    hint: "load the page again; its scripts and the Worker's must be of one version of the package",
  });
}
