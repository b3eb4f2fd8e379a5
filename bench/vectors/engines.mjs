// The engines of the vector benchmarks: how each is started, and what its index depends on.

import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';

import { cacheFolder, ensureFolder, sha256 } from '../../.ci/lib/data.mjs';
import { filesOf } from '../../.ci/lib/files.mjs';
import { LOCKED, ROOT, TARGET_FOLDER, run } from '../../.ci/lib/run.mjs';
import { step } from '../../.ci/lib/say.mjs';
import { ensureNpmPackages } from '../../.ci/lib/system.mjs';
import { pythonEnvironment, pythonVersion } from './python.mjs';
import { start } from './runner.mjs';

/** So many versions of an index are kept. */
const KEPT = 4;

/** M and efConstruction of all; SVS has graphs of 2 M neighbours, which is what the others have in their base layer. */
export const PARAMETERS = { m: 16, ef_construction: 200 };

const RUNNERS = join(ROOT, 'bench/runners');
const NODE_PEERS = 'bench/peers/node';

const python = (key, name, distribution) => ({
  name,
  version: () => pythonVersion(distribution),
  start: async (threads) => start(name, ['python3', join(RUNNERS, 'python.py'), key], await pythonEnvironment(), threads),
});

const node = (key, name, rest) => ({
  name,
  ...rest,
  start: async () => start(name, [process.execPath, join(RUNNERS, 'node.mjs'), key]),
});

const kithdb = (name, codes) => ({
  name,
  codes,
  version: coreVersion,
  changes: true,
  prepare: buildRunner,
  start: async (threads) => start(name, [join(TARGET_FOLDER, 'release/kithdb-bench-runner')], {}, threads),
});

/**
 * By the names of `--only`. `index` names the engine whose index is searched, where it is not its own; `changes`: several
 * versions are worked on at once, and the indexes of the last few are kept. `cannot`: why it does not run on this machine.
 */
export const ENGINES = {
  kithdb: kithdb('KithDB', 'int8'),
  'kithdb-bits': kithdb('KithDB, bits', 'bits'),
  'kithdb-pq': kithdb('KithDB, pq', 'pq'),
  'kithdb-node': node('kithdb', 'KithDB, Node', { version: coreVersion, index: 'kithdb' }),
  hnswlib: python('hnswlib', 'hnswlib', 'hnswlib'),
  svs: {
    ...python('svs', 'Intel SVS, LVQ4x8', 'scalable-vs'),
    cannot: () => (/intel/i.test(cpus()[0].model) ? undefined : 'its LVQ runs on processors of Intel alone'),
  },
  usearch: python('usearch', 'usearch', 'usearch'),
  faiss: python('faiss', 'faiss, HNSW', 'faiss-cpu'),
  'hnswlib-node': node('hnswlib', 'hnswlib-node', {
    version: () => createRequire(join(ROOT, NODE_PEERS, 'package.json'))('./package.json').dependencies['hnswlib-node'],
    prepare: () => ensureNpmPackages(NODE_PEERS),
    index: 'hnswlib',
  }),
};

/** All that the index of KithDB may depend on. */
function coreVersion() {
  const paths = filesOf(join(ROOT, 'core/src')).map((name) => join('core/src', name));
  const rest = ['core/Cargo.toml', 'bench/Cargo.toml', 'bench/Cargo.lock', 'bench/runners/kithdb/build.rs'];
  return sha256(...[...paths, ...rest].flatMap((path) => [path, readFileSync(join(ROOT, path))])).slice(0, 12);
}

async function buildRunner() {
  await step('building the runner of KithDB', async () => {
    const args = ['--manifest-path', 'bench/Cargo.toml', '--target-dir', TARGET_FOLDER];
    await run('cargo', ['build', '--release', '--quiet', ...LOCKED, ...args]);
  });
}

/** The index of an engine over a data set, made once: its folder and what making it took. */
export async function ensureIndex(key, set, { threads = 1, rebuild = false } = {}) {
  const engine = ENGINES[key];
  const recipe = sha256(JSON.stringify([set.recipe, engine.version(), PARAMETERS, threads]));
  const plain = `${key}${threads > 1 ? `-${threads}` : ''}`;
  const name = `bench/indexes/${set.name}/${plain}${engine.changes ? `-${recipe.slice(0, 8)}` : ''}`;
  if (rebuild) rmSync(join(cacheFolder(), name), { recursive: true, force: true });
  const what = `building the index of ${engine.name} for ${set.name}${threads > 1 ? ` on ${threads} threads` : ''}`;
  const folder = await ensureFolder(name, recipe, what, async (fresh) => {
    mkdirSync(join(fresh, 'index'));
    const runner = await engine.start(threads);
    const { codes } = engine;
    const request = { op: 'build', data: set.folder, folder: join(fresh, 'index'), ...PARAMETERS, threads, codes };
    const built = await runner.ask(request);
    await runner.stop();
    writeFileSync(join(fresh, 'built.json'), JSON.stringify(built));
    return `${built.cpu_s.toFixed(1)} s of CPU time`;
  });
  if (engine.changes) keepLast(folder, new RegExp(`^${plain}-[0-9a-f]{8}$`));
  return { folder: join(folder, 'index'), built: JSON.parse(readFileSync(join(folder, 'built.json'), 'utf8')) };
}

/** Removes all but the last used of the folders beside one that is used now. */
function keepLast(folder, pattern) {
  utimesSync(folder, new Date(), new Date());
  const beside = readdirSync(dirname(folder)).filter((name) => pattern.test(name)).map((name) => join(dirname(folder), name));
  const used = (path) => statSync(path).mtimeMs;
  for (const path of beside.toSorted((a, b) => used(b) - used(a)).slice(KEPT)) rmSync(path, { recursive: true, force: true });
}
