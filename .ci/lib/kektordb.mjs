// KektorDB's own clients, from their registries at the time of a proof, and a server for them to talk to. Nothing of them is
// kept in the repository.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { serverBinary } from './build.mjs';
import { ensureFolder, onlyFile, sha256 } from './data.mjs';
import { LOCKED, output, run } from './run.mjs';
import { Refusal, step } from './say.mjs';
import { ensureRust, ensureSystem } from './system.mjs';

/** The Python client: its source archive is the one that has its suite. */
export const PYTHON_CLIENT = {
  package: 'kektordb-client==0.6.2',
  sha256: '154347ace34544ef3e273d2b94e089f895d6d4230b46315e62e156e1dbe5765e',
  suite: 'tests/test_all_endpoints.py',
  /** What its suite runs with. */
  tools: ['pytest==9.2.0', 'requests==2.34.2', 'numpy==2.4.6'],
};

/** The TypeScript client. */
export const TYPESCRIPT_CLIENT = {
  package: 'kektordb-client@0.6.2',
  sha256: '00e1ed063beee3e4c0c55d5c7539e06567bd5fe724beec7e95a909e062c5c30f',
  main: 'dist/index.mjs',
};

/** Python's version, when it is there with pip. */
export function python() {
  const version = output('python3', ['--version']);
  return output('python3', ['-m', 'pip', '--version']) === undefined ? undefined : version;
}

/** The folder with the Python client, the packages that its suite needs, and the suite itself. */
export function ensurePythonClient() {
  const recipe = sha256(JSON.stringify(PYTHON_CLIENT), python());
  const what = `fetching KektorDB's Python client and its suite (PyPI ${PYTHON_CLIENT.package})`;
  return ensureFolder('kektordb/python', recipe, what, async (fresh, work) => {
    const pip = (...args) => run('python3', ['-m', 'pip', ...args, '--quiet', '--disable-pip-version-check']);
    await pip('download', '--no-deps', '--no-binary', ':all:', '--dest', work, PYTHON_CLIENT.package);
    const archive = onlyFile(work, '.tar.gz', PYTHON_CLIENT);
    await run('tar', ['-xzf', archive, '-C', fresh, '--strip-components', '1']);
    await pip('install', '--target', join(fresh, 'packages'), archive, ...PYTHON_CLIENT.tools);
  });
}

/** The folder with the TypeScript client. */
export function ensureTypescriptClient() {
  const what = `fetching KektorDB's TypeScript client (npm ${TYPESCRIPT_CLIENT.package})`;
  return ensureFolder('kektordb/typescript', sha256(JSON.stringify(TYPESCRIPT_CLIENT)), what, async (fresh, work) => {
    await run('npm', ['pack', '--silent', TYPESCRIPT_CLIENT.package, '--pack-destination', work]);
    const archive = onlyFile(work, '.tgz', TYPESCRIPT_CLIENT);
    await run('tar', ['-xzf', archive, '-C', fresh, '--strip-components', '1']);
  });
}

/** Builds the server of the tests, or takes the one that KITH_SERVER names. */
export async function ensureServer() {
  if (process.env.KITH_SERVER) return process.env.KITH_SERVER;
  await ensureSystem(['linker', 'certificates']);
  ensureRust();
  await step('building the server', () => run('cargo', ['build', ...LOCKED, '--quiet', '-p', 'kithdb-server']));
  return serverBinary('debug');
}

/** Serves a new database to `work`, which gets its port and the server's process id; both go away. `env`: more variables of the server. */
export async function serving(work, env = {}) {
  const binary = await ensureServer();
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-clients-'));
  const args = ['serve', '--data', join(folder, 'db'), '--listen', '127.0.0.1:0'];
  const server = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((done) => server.on('close', done));
  try {
    const failed = new Promise((_, fail) => server.on('error', fail));
    return await work(await Promise.race([portOf(server), failed]), server.pid);
  } finally {
    server.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function portOf(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const port = /listens on http:\/\/\S+:(\d+)$/.exec(line)?.[1];
    if (port) return Number(port);
  }
  throw new Refusal('the server ended before it listened');
}
