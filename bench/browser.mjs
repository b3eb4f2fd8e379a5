// What KithDB costs in a browser, beside hnswlib-wasm (vectors), MiniSearch (words) and Orama (opening what was saved), in
// one run of headless Chromium. Usage: npm run bench -- browser [--json] [--small] [--all] [--documents N] [--rounds N]
// [--only PART,PART]

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';

import { startSite } from '../tests/browser/site.mjs';
import { native, prepareGlove } from './browser/glove.mjs';
import { browserVersion, coldStarts, hybrid, reopenings, savedOpenings, threads, vectors, words } from './browser/measure.mjs';
import { writeBrowser } from './browser/page.mjs';
import { prepare } from './browser/prepare.mjs';
import { print } from './browser/print.mjs';
import { revision } from './vectors/revision.mjs';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    documents: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string', default: 'cold,saved,reopen,vectors,words,hybrid,glove' },
  },
});
const cache = process.env.KITH_CACHE;
if (!cache) throw new Error('KITH_CACHE is not set: run npm run bench -- browser');

const documents = Number(values.documents ?? (values.small ? 2000 : 20_000));
const rounds = Number(values.rounds ?? (values.small ? 1 : 5));
const questions = values.small ? 50 : 500;
const efs = values.small ? [10, 40, 160] : [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384];

const { folder, isRight } = await prepare(cache, documents, questions);
const folderUrl = (path) => pathToFileURL(`${path}/`);
const siteOf = (data) => startSite('/pages/start.mjs', {
  pages: new URL('browser/pages/', import.meta.url),
  peers: new URL('peers/node_modules/', import.meta.url),
  data: folderUrl(data),
  embedder: folderUrl(`${cache}/embedder`),
}, {
  // hnswlib-wasm carries its module in a data: address. What is fetched once may be kept, as on a real site.
  'content-security-policy': "default-src 'self' data:; script-src 'self' 'unsafe-eval'",
  'cache-control': 'max-age=3600',
});
const site = await siteOf(folder);

const parts = {
  cold: () => coldStarts(site.origin, rounds),
  saved: () => savedOpenings(site.origin, rounds),
  reopen: () => reopenings(site.origin, rounds),
  vectors: () => vectors(site.origin, { rounds, isRight, efs }),
  words: () => words(site.origin, { rounds }),
  hybrid: () => hybrid(site.origin, { rounds }),
  glove,
};

/** The package of edgevec imports a file that it does not hold: saving to IndexedDB, which is not measured. */
async function completeEdgevec() {
  const peer = new URL('peers/node_modules/edgevec/', import.meta.url);
  const [, name] = /from '\.\/(snippets\/[\w./-]+)'/.exec(await readFile(new URL('edgevec.js', peer), 'utf8'));
  await mkdir(new URL('./', new URL(name, peer)), { recursive: true });
  await writeFile(new URL(name, peer), 'export class IndexedDbBackend {}\n');
}

/** The word vectors of the benchmark `quick`, and native KithDB over them. */
async function glove() {
  const made = await prepareGlove();
  const own = await siteOf(made.folder);
  try {
    const others = values.all ? ['edgevec'] : [];
    if (values.all) await completeEdgevec();
    const measured = await vectors(own.origin, { rounds, isRight: made.isRight, efs, others });
    const [ours, counts] = [await native(made.set, efs, rounds), cpus().length > 1 ? [1, 2] : [1]];
    return { engines: measured, native: ours, threads: await threads(own.origin, { rounds: Math.min(rounds, 3), counts }) };
  } finally {
    own.stop();
    await rm(made.folder, { recursive: true, force: true });
  }
}

const result = {
  documents,
  questions,
  rounds,
  machine: cpus()[0].model,
  cores: cpus().length,
  browser: await browserVersion(),
  revision: revision(),
  load: [loadavg()[0]],
};
try {
  for (const [name, measure] of Object.entries(parts).filter(([part]) => values.only.split(',').includes(part))) {
    if (!values.json) console.log(`… ${name}`);
    result[name] = await measure();
  }
} finally {
  site.stop();
  await rm(folder, { recursive: true, force: true });
}
result.load.push(loadavg()[0]);

if (values.json) console.log(JSON.stringify(result));
else print(result);
if (['glove', 'words', 'saved', 'reopen'].every((part) => result[part]) && !values.small && !values.rounds) writeBrowser(result);
