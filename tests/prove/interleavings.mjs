// Tries interleavings of the host's threads for as long as it is given: the view swap, group commit, failed syncs, jobs
// that end while documents are written, dropped or the database is closed. KITH_PROVE_SEED begins with another seed.

import { lines } from '../../.ci/lib/counts.mjs';
import { INTERLEAVINGS, INTERLEAVINGS_ENV } from '../../.ci/lib/interleavings.mjs';
import { run } from '../../.ci/lib/run.mjs';
import { Refusal, main, step } from '../../.ci/lib/say.mjs';
import { ensureRust, ensureSystem } from '../../.ci/lib/system.mjs';

await main(async () => {
  await ensureSystem(['linker', 'certificates']);
  ensureRust();
  const args = ['test', '--quiet', ...INTERLEAVINGS, '--', '--ignored', '--exact', '--nocapture', 'interleavings'];
  let counted = false;
  // What the test prints is passed on, and so is counted.
  const onText = lines((line) => {
    counted ||= line.startsWith('counted: ');
  });
  await step('trying interleavings', () => run('cargo', args, { env: INTERLEAVINGS_ENV, onText }));
  if (!counted) throw new Refusal('nothing was tried: the test named interleavings did not run');
});
