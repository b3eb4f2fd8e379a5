// Builds what the commands use: the browser module, the TypeScript of the npm package, the explorer, the server, the Node addon.
// In this order: the server embeds what the browser gets. cargo and tsc know themselves what is up to date.

import { copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { buildExplorer } from './explorer.mjs';
import { copyChanged, filesOf } from './files.mjs';
import { LOCKED, ROOT, TARGET_FOLDER, run } from './run.mjs';
import { step } from './say.mjs';
import { buildWasm } from './wasm.mjs';

/** The compiled TypeScript; the addon and the browser module lie in it, so that `files` packs all of them. */
const DIST = join(ROOT, 'js/dist');

const LIBRARY = { darwin: 'libkithdb_node.dylib', win32: 'kithdb_node.dll' }[process.platform] ?? 'libkithdb_node.so';

/** What the builds need of the machine, for `ensureSystem`. */
export const BUILD_NEEDS = ['linker', 'certificates', 'wasm'];

/** The server's binary of a profile ("release" or "debug"). */
export function serverBinary(profile) {
  return join(TARGET_FOLDER, profile, process.platform === 'win32' ? 'kithdb.exe' : 'kithdb');
}

/** What a user runs: server, addon and browser modules, optimised. */
export async function buildRelease() {
  await buildWasm({ threads: 'released' });
  await buildTypes();
  await buildExplorer();
  const first = !existsSync(serverBinary('release'));
  await step(`building the server and the Node addon${first ? ' (first time about 2 minutes)' : ''}`, async () => {
    const packages = ['-p', 'kithdb-server', '-p', 'kithdb-node'];
    await run('cargo', ['build', '--release', ...LOCKED, ...(first ? [] : ['--quiet']), ...packages]);
  });
  placeAddon('release');
}

/** What Node loads, optimised, without the browser modules and the server. */
export async function buildForNode() {
  await buildTypes();
  await step('building the Node addon', async () => {
    await run('cargo', ['build', '--release', ...LOCKED, '--quiet', '-p', 'kithdb-node']);
  });
  placeAddon('release');
}

/** What a page runs. */
export async function buildForBrowser() {
  await buildWasm({ threads: false });
  await buildTypes();
}

/**
 * What the tests run, the native parts in one profile and one cargo call: the same artefacts serve `cargo test`,
 * the server that tests start and the addon that Node tests load. The browser module of one thread is the one that users
 * get.
 */
export async function buildForTests() {
  await buildWasm({ threads: 'quick' });
  await buildTypes();
  await buildExplorer();
  const first = !existsSync(serverBinary('debug'));
  await step(`building the tests and what they start${first ? ' (first time a few minutes)' : ''}`, async () => {
    await run('cargo', ['build', '--workspace', '--all-targets', ...LOCKED, ...(first ? [] : ['--quiet'])]);
  });
  placeAddon('debug');
}

/** Renamed into place: a process that has the old addon mapped keeps it. */
function placeAddon(profile) {
  const addon = join(DIST, 'kithdb.node');
  copyFileSync(join(TARGET_FOLDER, profile, LIBRARY), `${addon}.new`);
  renameSync(`${addon}.new`, addon);
}

/** Compiled beside its place: the compiler writes every file anew, and the server would be built again each time. */
async function buildTypes() {
  const fresh = join(TARGET_FOLDER, 'js');
  await step('compiling the TypeScript', async () => {
    rmSync(fresh, { recursive: true, force: true });
    await run(process.execPath, tsc('-p', 'js/tsconfig.browser.json', '--outDir', fresh));
    // What Node loads is CommonJS, so that `import` and `require` share one instance; js/node.mjs hands it on.
    await run(process.execPath, tsc('-p', 'js/tsconfig.node.json', '--outDir', join(fresh, 'node')));
    writeFileSync(join(fresh, 'node/package.json'), '{ "type": "commonjs" }\n');
    for (const name of filesOf(fresh)) copyChanged(join(fresh, name), join(DIST, name));
  });
}

/** The arguments that make node run the compiler of node_modules; the package `typescript` is an older one with an API. */
export function tsc(...args) {
  return [join(ROOT, 'node_modules/@typescript/native/bin/tsc'), ...args];
}
