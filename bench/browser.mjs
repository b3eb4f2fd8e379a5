// What KithDB costs in a browser, beside hnswlib-wasm (vectors) and MiniSearch (words), in one run of headless
// Chromium. Usage: npm run bench -- browser [--json] [--small] [--documents N] [--rounds N] [--only PART,PART]

import { rm } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';

import { startSite } from '../tests/browser/site.mjs';
import { browserVersion, coldStarts, hybrid, savedOpenings, vectors, words } from './browser/measure.mjs';
import { prepare } from './browser/prepare.mjs';
import { print } from './browser/print.mjs';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    documents: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string', default: 'cold,saved,vectors,words,hybrid' },
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
const site = await startSite('/pages/start.mjs', {
  pages: new URL('browser/pages/', import.meta.url),
  peers: new URL('peers/node_modules/', import.meta.url),
  data: folderUrl(folder),
  embedder: folderUrl(`${cache}/embedder`),
}, {
  // hnswlib-wasm carries its module in a data: address. What is fetched once may be kept, as on a real site.
  'content-security-policy': "default-src 'self' data:; script-src 'self' 'unsafe-eval'",
  'cache-control': 'max-age=3600',
});

const parts = {
  cold: () => coldStarts(site.origin, rounds),
  saved: () => savedOpenings(site.origin, rounds),
  vectors: () => vectors(site.origin, { rounds, isRight, efs }),
  words: () => words(site.origin, { rounds }),
  hybrid: () => hybrid(site.origin, { rounds }),
};
const result = {
  documents,
  questions,
  rounds,
  machine: cpus()[0].model,
  cores: cpus().length,
  browser: await browserVersion(),
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
