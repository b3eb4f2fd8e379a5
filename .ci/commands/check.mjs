// npm run check: what CI asks besides the tests. `npm run check -- format lint` runs those parts only.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { tsc } from '../lib/build.mjs';
import { checkExplorer } from '../lib/explorer.mjs';
import { INTERLEAVINGS } from '../lib/interleavings.mjs';
import { LOCKED, ROOT, TARGET_FOLDER, output, run } from '../lib/run.mjs';
import { Refusal, main, step } from '../lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../lib/system.mjs';

/** Packages that are built apart from the others, because they would change how those are built. */
const OWN_WORKSPACES = [
  'bench/Cargo.toml', 'bench/runners/filters/Cargo.toml', 'bench/runners/graph/Cargo.toml', 'bench/runners/words/Cargo.toml',
  'bench/runners/server/Cargo.toml', '.ci/bindgen/Cargo.toml', 'fuzz/Cargo.toml', 'tests/interleavings/Cargo.toml',
];

const BENCH = [...LOCKED, '--manifest-path', 'bench/Cargo.toml', '--target-dir', TARGET_FOLDER];

const PARTS = {
  async format() {
    needsComponent('rustfmt', ['fmt', '--version']);
    await step('checking the format', async () => {
      await run('cargo', ['fmt', '--all', '--check']);
      for (const own of OWN_WORKSPACES) await run('cargo', ['fmt', '--manifest-path', own, '--check']);
    });
  },
  async lint() {
    needsComponent('clippy', ['clippy', '--version']);
    const args = ['clippy', '--workspace', '--all-targets', ...LOCKED, '--quiet', '--', '-D', 'warnings'];
    await step('running clippy', () => run('cargo', args));
    const bench = ['clippy', ...BENCH, '--all-targets', '--quiet', '--', '-D', 'warnings'];
    await step("running clippy on the benchmarks' runner", () => run('cargo', bench));
    const apart = ['clippy', ...INTERLEAVINGS, '--all-targets', '--quiet', '--', '-D', 'warnings'];
    await step('running clippy on the interleavings', () => run('cargo', apart));
  },
  async docs() {
    const args = ['doc', '--no-deps', '--workspace', ...LOCKED, '--quiet'];
    const env = { RUSTDOCFLAGS: `${process.env.RUSTDOCFLAGS ?? ''} -D warnings`.trim() };
    await step('checking the API pages', () => run('cargo', args, { env }));
  },
  async types() {
    if (!existsSync(join(ROOT, 'js/tsconfig.json'))) return;
    await ensureNpmPackages();
    await step('checking the types of js', async () => {
      // Apart: what a browser runs must not need what only Node has.
      await run(process.execPath, tsc('-p', 'js/tsconfig.browser.json', '--noEmit'));
      await run(process.execPath, tsc('-p', 'js/tsconfig.node.json', '--noEmit'));
    });
    await checkExplorer();
  },
  async tidy() {
    const args = ['test', ...LOCKED, '--quiet', '-p', 'kithdb-tests', '--test', 'all', 'tidy'];
    await step('running the tidy test', () => run('cargo', args));
  },
};

function needsComponent(component, args) {
  if (output('cargo', args) === undefined) {
    throw new Refusal(`${component} is missing. Type:\n\n  rustup component add ${component}\n`);
  }
}

await main(async (names) => {
  const unknown = names.filter((name) => !(name in PARTS));
  if (unknown.length > 0) {
    throw new Refusal(`unknown part: ${unknown.join(' ')}; there are ${Object.keys(PARTS).join(', ')}`);
  }
  await ensureSystem(['linker', 'certificates']);
  ensureRust();
  for (const name of names.length > 0 ? names : Object.keys(PARTS)) await PARTS[name]();
});
