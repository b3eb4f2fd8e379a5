// Builds what the commands use: the server, the Node addon, the TypeScript of the npm package.
// cargo and tsc know themselves what is up to date; nothing here second-guesses them.

import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { LOCKED, ROOT, run } from './run.mjs';
import { step } from './say.mjs';

/** Where js/ looks for the addon; next to the compiled TypeScript, so that `files` packs both. */
const ADDON = join(ROOT, 'js/dist/kithdb.node');

const LIBRARY = { darwin: 'libkithdb_node.dylib', win32: 'kithdb_node.dll' }[process.platform] ?? 'libkithdb_node.so';

const targetFolder = () => resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target');

const hasAddon = () => existsSync(join(ROOT, 'bindings-node/Cargo.toml'));

/** The server's binary of a profile ("release" or "debug"). */
export function serverBinary(profile) {
  return join(targetFolder(), profile, process.platform === 'win32' ? 'kithdb.exe' : 'kithdb');
}

/** What a user runs: server and addon, optimised. */
export async function buildRelease() {
  const first = !existsSync(serverBinary('release'));
  const packages = ['-p', 'kithdb-server', ...(hasAddon() ? ['-p', 'kithdb-node'] : [])];
  const what = hasAddon() ? 'the server and the Node addon' : 'the server';
  await step(`building ${what}${first ? ' (first time about 2 minutes)' : ''}`, async () => {
    await run('cargo', ['build', '--release', ...LOCKED, ...(first ? [] : ['--quiet']), ...packages]);
  });
  await buildJs('release');
}

/**
 * What the tests run, all in one profile and one cargo call: the same artefacts serve `cargo test`,
 * the server that tests start and the addon that Node tests load.
 */
export async function buildForTests() {
  const first = !existsSync(serverBinary('debug'));
  await step(`building the tests and what they start${first ? ' (first time a few minutes)' : ''}`, async () => {
    await run('cargo', ['build', '--workspace', '--all-targets', ...LOCKED, ...(first ? [] : ['--quiet'])]);
  });
  await buildJs('debug');
}

async function buildJs(profile) {
  if (hasAddon()) {
    // Renamed into place: a process that has the old addon mapped keeps it.
    mkdirSync(join(ROOT, 'js/dist'), { recursive: true });
    copyFileSync(join(targetFolder(), profile, LIBRARY), `${ADDON}.new`);
    renameSync(`${ADDON}.new`, ADDON);
  }
  await step('compiling the TypeScript', async () => {
    await run(process.execPath, tsc('-p', 'js/tsconfig.browser.json'));
    // What Node loads is CommonJS, so that `import` and `require` share one instance; js/node.mjs hands it on.
    await run(process.execPath, tsc('-p', 'js/tsconfig.node.json'));
    writeFileSync(join(ROOT, 'js/dist/node/package.json'), '{ "type": "commonjs" }\n');
  });
}

/** The arguments that make node run the compiler of node_modules. */
export function tsc(...args) {
  return [join(ROOT, 'node_modules/typescript/bin/tsc'), ...args];
}
