// Fuzzes every decoder of bytes from outside: libFuzzer looks for inputs that take new branches, and any panic, hang or
// allocation beyond a bound is a failure. The time is shared among the targets, those that decode storage get most.
// With KITH_FUZZ_KEEP=1 the committed corpus (fuzz/corpus) is then made anew from what was found.

import { availableParallelism } from 'node:os';

import { buildFuzzers, ending, fuzz, hex, keep } from '../../.ci/lib/fuzz.mjs';
import { Refusal, main, step } from '../../.ci/lib/say.mjs';
import { ensureRust, ensureSystem } from '../../.ci/lib/system.mjs';

/** Shares of the time; the others get one. */
const SHARES = { log: 3, blob: 3, manifest: 3, filter: 2 };
const share = ({ name }) => SHARES[name] ?? 1;

const seconds = Number(process.env.KITH_PROVE_SECONDS ?? 60);
/** `KITH_FUZZ_TARGETS=log,blob` for some of them. */
const wanted = process.env.KITH_FUZZ_TARGETS?.split(',');

await main(async () => {
  await ensureSystem(['linker', 'certificates', 'cxx']);
  ensureRust();
  const all = await step('building the fuzzers (first time a few minutes)', buildFuzzers);
  const targets = all.filter(({ name }) => !wanted || wanted.includes(name));
  if (targets.length === 0) throw new Refusal(`no such target; there are ${all.map(({ name }) => name).join(', ')}`);
  const lanes = Math.min(availableParallelism(), targets.length);
  const unit = (seconds * lanes) / targets.reduce((sum, target) => sum + share(target), 0);
  const left = targets.toSorted((a, b) => share(b) - share(a));
  const failures = [];
  const lane = async () => {
    for (let target = left.shift(); target; target = left.shift()) {
      const ran = await fuzz(target, Math.max(1, Math.round(unit * share(target))));
      const crashes = ran.code === 0 ? 0 : 1;
      if (crashes) failures.push(ran);
      console.log(`  ${ran.name}: ${Math.round(ran.executions / ran.seconds)} executions/s for ${ran.seconds} s`);
      console.log(`counted: fuzz-${ran.name} executions=${ran.executions} crashes=${crashes}`);
    }
  };
  await step(`fuzzing ${targets.length} targets, ${lanes} at a time`, () => Promise.all(Array.from({ length: lanes }, lane)));
  for (const failure of failures) {
    console.error(`\n${failure.name} ended with ${failure.code}:\n${ending(failure)}`);
    if (failure.input) console.error(`input: ${failure.input}\nbegins: ${hex(failure.input)}`);
  }
  if (failures.length > 0) {
    throw new Refusal('a decoder failed; copy the input to fuzz/corpus/TARGET under a name that tells its story, and mend the decoder until fuzz_corpus passes');
  }
  if (process.env.KITH_FUZZ_KEEP) {
    for (const target of targets) await step(`keeping the corpus of ${target.name}`, async () => `${await keep(target)} bytes`);
  }
});
