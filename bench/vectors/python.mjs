// The Python packages of the vector benchmarks, in a folder of the cache: no environment of the user's is touched. hnswlib
// comes as source and is compiled for this very processor, as its users have it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ensureFolder, sha256 } from '../../.ci/lib/data.mjs';
import { ROOT, output, run } from '../../.ci/lib/run.mjs';

const REQUIREMENTS = join(ROOT, 'bench/peers/requirements.txt');

/** What a process needs in its environment to find the packages; installs them when they are not there. */
export async function pythonEnvironment() {
  const requirements = readFileSync(REQUIREMENTS, 'utf8');
  const recipe = sha256(requirements, output('python3', ['--version']) ?? '');
  const folder = await ensureFolder('bench/python', recipe, 'installing the Python peers (PyPI, 150 MB)', (fresh) => {
    const quiet = ['--quiet', '--disable-pip-version-check'];
    return run('python3', ['-m', 'pip', 'install', ...quiet, '--target', fresh, '-r', REQUIREMENTS]);
  });
  return { PYTHONPATH: folder };
}

/** The version of a package that is asked for. */
export function pythonVersion(name) {
  return new RegExp(`^${name}==(.*)$`, 'm').exec(readFileSync(REQUIREMENTS, 'utf8'))[1];
}
