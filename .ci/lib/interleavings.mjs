// How cargo is told to build and run `tests/interleavings`, a workspace of its own: the core has other locks there.

import { LOCKED, TARGET_FOLDER } from './run.mjs';

/** Its manifest, and the folder in which it shares what other builds have compiled. */
export const INTERLEAVINGS = [
  ...LOCKED, '--manifest-path', 'tests/interleavings/Cargo.toml', '--target-dir', TARGET_FOLDER,
];

/** A panic in a thread of a scenario is the scheduler's to report; its own stack is a hundred frames of no use. */
export const INTERLEAVINGS_ENV = { RUST_BACKTRACE: '0' };
