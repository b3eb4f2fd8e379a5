// Which revision of the sources was measured.

import { output } from '../../.ci/lib/run.mjs';

/** The commit, and whether what is measured or measures was changed since. */
export function revision() {
  const commit = output('git', ['rev-parse', '--short=10', 'HEAD']);
  if (!commit) return 'unknown';
  const changed = output('git', ['status', '--porcelain', '--', 'bench', 'bindings-node', 'bindings-wasm', 'core', 'js']);
  return changed ? `${commit} and changes` : commit;
}
