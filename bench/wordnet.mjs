// What storing and searching WordNet costs from Node: words, vectors, both, and the index against an exact scan of the
// same vectors in the same run. Usage: npm run bench -- wordnet [--json] [--documents N]

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { openMemory } from 'kithdb';

const QUERIES = 300;
const ROUNDS = 5;
const K = 10;

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, documents: { type: 'string', default: '30000' } },
});
const cache = process.env.KITH_CACHE;
if (!cache) throw new Error('KITH_CACHE is not set: run npm run bench -- wordnet');

const documents = await read(Number(values.documents));
const db = await openMemory({ embedder: join(cache, 'embedder/wordllama-256') });
const wordnet = await db.create('wordnet', { text: { fields: ['gloss'] }, embedder: true });
const result = { documents: documents.length };

result.add_per_second = Math.round(documents.length / await seconds(async () => {
  for (let at = 0; at < documents.length; at += 5000) await wordnet.addMany(documents.slice(at, at + 5000));
}));
// Together: background work may have begun with either, and a call waits for what is running.
result.seal_and_index_s = round(await seconds(async () => {
  await wordnet.seal();
  await wordnet.index();
}));

// Glosses spread over the whole set, each without its first word, so that no query is a document.
const step = Math.max(1, Math.floor(documents.length / QUERIES));
const asked = documents.filter((_, i) => i % step === 0).slice(0, QUERIES);
const texts = asked.map(({ metadata }) => metadata.gloss.split(' ').slice(1).join(' '));
const vectors = (await wordnet.getMany(asked.map(({ id }) => id))).map((document) => document?.vector);

const words = texts.map((text) => ({ filter: `CONTAINS(gloss, '${text.replaceAll("'", "''")}')`, k: K }));
const both = texts.map((text) => ({ text, k: K }));
const near = vectors.flatMap((vector) => (vector ? [{ vector, k: K }] : []));
const exact = near.map((request) => ({ ...request, exact: true }));

// Alternating, so that whatever else the machine does falls on all alike.
const times = { words: [], vectors: [], exact: [], both: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, requests] of Object.entries({ words, vectors: near, exact, both })) times[name].push(await each(requests));
}
for (const name of Object.keys(times)) result[`${name}_us`] = Math.round(median(times[name]) * 1e6);
result.recall_at_10 = round(recall());
result.exact_over_index = round(median(times.exact) / median(times.vectors));
result.spread = round(Math.max(...times.vectors) / Math.min(...times.vectors));
await db.close();

if (values.json) console.log(JSON.stringify(result));
else {
  console.log(`WordNet, ${result.documents} documents of 256 dimensions, ${QUERIES} queries, median of ${ROUNDS} rounds`);
  for (const [name, value] of Object.entries(result)) console.log(`  ${name.padEnd(18)} ${value}`);
}

function recall() {
  let found = 0;
  for (let i = 0; i < near.length; i += 1) {
    const right = new Set(wordnet.searchSync(exact[i]).hits.map(({ id }) => id));
    found += wordnet.searchSync(near[i]).hits.filter(({ id }) => right.has(id)).length / right.size;
  }
  return found / near.length;
}

/** Mean seconds of a request. */
async function each(requests) {
  return (await seconds(() => { for (const request of requests) wordnet.searchSync(request); })) / requests.length;
}

async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function read(most) {
  const lines = createInterface({ input: createReadStream(join(cache, 'wordnet/documents.jsonl')) });
  const all = [];
  for await (const line of lines) {
    if (all.length === most) break;
    all.push(JSON.parse(line));
  }
  return all;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function round(x) {
  return Math.round(x * 1000) / 1000;
}
