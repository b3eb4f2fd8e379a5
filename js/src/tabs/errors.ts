// The errors of a database that several tabs share.

import { KithError } from '../errors.js';
import type { Asked } from '../rpc/verbs.js';
import { VERSION } from '../rpc/version.js';

/** Locks or channels are not there. */
export function cannotShare(): KithError {
  return new KithError({
    code: 'unsupported',
    message: 'a database cannot be shared by tabs here: the page has no Web Locks',
    hint: 'serve the page over https, or open the database in one tab',
  });
}

/** The writer went while it was asked for what must not be done twice. */
export function outcomeUnknown({ verb }: Asked): KithError {
  return new KithError({
    code: 'outcome_unknown',
    message: `the tab that kept the database went before it answered: whether it did what ${JSON.stringify(verb)} asked is not known`,
    hint: 'read what was to be changed, and ask again if it was not',
  });
}

/** Another tab speaks another version. */
export function otherVersion(got: unknown): KithError {
  return new KithError({
    code: 'unsupported_version',
    message: `another tab shares the database by version ${got} of the messages between tabs, this one by version ${VERSION}`,
    expected: `version ${VERSION}`,
    got: `version ${got}`,
    hint: 'load the older tabs again',
  });
}
