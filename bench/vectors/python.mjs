// The Python packages of the benchmarks, in folders of the cache: no environment of the user's is touched. hnswlib
// comes as source and is compiled for this very processor, as its users have it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ensureFolder, sha256 } from '../../.ci/lib/data.mjs';
import { ROOT, output, run } from '../../.ci/lib/run.mjs';

const REQUIREMENTS = 'requirements';
const listOf = (name) => join(ROOT, `bench/peers/${name}.txt`);

/** What a process needs in its environment to find the packages of a list; installs them when they are not there. */
export async function pythonEnvironment(name = REQUIREMENTS, what = 'installing the Python peers (PyPI, 150 MB)') {
  const recipe = sha256(readFileSync(listOf(name), 'utf8'), output('python3', ['--version']) ?? '');
  const folder = await ensureFolder(name === REQUIREMENTS ? 'bench/python' : `bench/python-${name}`, recipe, what, (fresh) => {
    const quiet = ['--quiet', '--disable-pip-version-check'];
    return run('python3', ['-m', 'pip', 'install', ...quiet, '--target', fresh, '-r', listOf(name)]);
  });
  return { PYTHONPATH: folder };
}

/** The version of a package that is asked for. */
export function pythonVersion(name) {
  return new RegExp(`^${name}==(.*)$`, 'm').exec(readFileSync(listOf(REQUIREMENTS), 'utf8'))[1];
}
