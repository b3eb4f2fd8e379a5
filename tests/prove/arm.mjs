// Runs core's unit tests and the suites that need the core alone as arm64 code, under emulation: NEON's lanes have the
// bits of the scalar specification, and the bytes on disk are those of x86 (`golden`). PROPTEST_CASES says how many
// cases each property is tried with.

import { join } from 'node:path';

import { cargoForArm } from '../../.ci/lib/arm.mjs';
import { countRust, lines } from '../../.ci/lib/counts.mjs';
import { TARGET_FOLDER, run } from '../../.ci/lib/run.mjs';
import { Refusal, main, step } from '../../.ci/lib/say.mjs';
import { ensureRust, ensureSystem } from '../../.ci/lib/system.mjs';

/** The suites that start neither a server nor Node: there is none for arm64 here. */
const SUITES = [
  'golden::blobs_are_the_same_for_any_number_of_threads_and_any_budget',
  'contract::scenarios_hold_on_core_in_any_layout',
  'cold::', 'crash::a_', 'crash::history', 'damage::', 'host::', 'merge::',
];

/** It starts itself as a process of its own, which is not started under emulation. */
const NATIVE = 'storage::mmap::tests::large_pieces_have_pages_of_their_own';

await main(async () => {
  await ensureSystem(['linker', 'certificates', 'emulator', 'armCompiler']);
  ensureRust();
  const { program, args, env } = cargoForArm();
  env.PROPTEST_CASES = process.env.PROPTEST_CASES ?? '32'; // emulated code is slow
  const parts = [
    ["the core's unit tests", '-p', 'kithdb', '--lib', '--', '--skip', NATIVE],
    ['the suites of the core', '-p', 'kithdb-tests', '--test', 'all', '--', ...SUITES],
  ];
  for (const [what, ...chosen] of parts) {
    await step(`running ${what} as arm64 code`, async () => {
      const sum = { passed: 0, failed: 0, skipped: 0 };
      const all = ['test', ...args, '--target-dir', join(TARGET_FOLDER, 'arm'), ...chosen];
      await run(program, all, { env, onText: lines((line) => countRust(line, sum)) });
      if (sum.passed === 0) throw new Refusal(`no test ran: ${chosen.join(' ')}`);
      return `${sum.passed} passed`;
    });
  }
});
