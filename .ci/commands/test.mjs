// npm test: every test of the repository, and one line that sums them up.

import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { BUILD_NEEDS, buildForTests, serverBinary } from '../lib/build.mjs';
import { countRust, lines } from '../lib/counts.mjs';
import { cacheFolder, dataNeeds, ensureEmbedder, ensureWordnet } from '../lib/data.mjs';
import { INTERLEAVINGS, INTERLEAVINGS_ENV } from '../lib/interleavings.mjs';
import { LOCKED, ROOT, run } from '../lib/run.mjs';
import { Refusal, duration, main, step } from '../lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../lib/system.mjs';

/** Rust tests wait for the disk, for kills, and for servers and browsers that they start: one a core leaves it idle. */
const RUST_TESTS_A_CORE = 2;

/** A file of tests that waits for what never comes fails, and the others are told. The longest takes three minutes on two cores. */
const NODE_FILE_MS = 15 * 60_000;

await main(async () => {
  const start = performance.now();
  await ensureSystem([...BUILD_NEEDS, 'curl', 'chromium', ...dataNeeds()]);
  ensureRust();
  await ensureNpmPackages();
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const codes = [];
  // Side by side: the browser module takes the compiler minutes on one core, and the interleavings need nothing of it.
  const interleavings = step('trying interleavings of threads', async () => {
    const args = ['test', ...INTERLEAVINGS, '--quiet'];
    const onText = lines((line) => countRust(line, sum));
    codes.push(await run('cargo', args, { env: INTERLEAVINGS_ENV, mayFail: true, onText }));
  });
  await Promise.all([buildForTests(), interleavings]);

  await ensureWordnet();
  await ensureEmbedder();

  const env = { KITH_SERVER: serverBinary('debug'), KITH_CACHE: cacheFolder() };
  await step('running the Rust tests', async () => {
    const args = ['test', '--workspace', ...LOCKED, '--no-fail-fast', '--quiet'];
    const threads = process.env.RUST_TEST_THREADS ?? String(RUST_TESTS_A_CORE * availableParallelism());
    const rustEnv = { ...env, RUST_TEST_THREADS: threads };
    codes.push(await run('cargo', args, { env: rustEnv, mayFail: true, onText: lines((line) => countRust(line, sum)) }));
  });
  const files = ['tests/js', 'tests/browser'].flatMap(testFiles);
  if (files.length > 0) {
    await step('running the Node tests', async () => {
      const onText = lines((line) => countNode(line, sum));
      const options = [`--test-concurrency=${availableParallelism()}`, `--test-timeout=${NODE_FILE_MS}`];
      const args = ['--test', '--test-reporter=spec', ...options, ...files];
      codes.push(await run(process.execPath, args, { env, mayFail: true, onText }));
    });
  }
  console.log(`\nall tests took ${duration(performance.now() - start)}`);
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  if (codes.some((code) => code !== 0)) throw new Refusal('some tests failed');
});

/** Node 20 takes folders, later versions take globs: a list of files means the same to all. */
function testFiles(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  const names = readdirSync(join(ROOT, folder), { recursive: true });
  return names.filter((name) => /\.test\.m?js$/.test(name)).map((name) => join(folder, name)).sort();
}

function countNode(line, sum) {
  const [, word, count] = /^(?:#|ℹ) (pass|fail|cancelled|skipped|todo) (\d+)$/.exec(line) ?? [];
  if (!word) return;
  const key = { pass: 'passed', fail: 'failed', cancelled: 'failed', skipped: 'skipped', todo: 'skipped' }[word];
  sum[key] += Number(count);
}
