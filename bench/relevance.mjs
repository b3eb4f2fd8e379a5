// How well words rank, beside bm25s with the same stemmer and stop words: nDCG@10 on Cranfield, and on WordNet, where a
// word asks for the glosses of what it is the kind of. Usage: npm run bench -- relevance [--json] [--small]

import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { openMemory } from 'kithdb';

import { ROOT } from '../.ci/lib/run.mjs';
import { pythonEnvironment } from './vectors/python.mjs';

const K = 10;
const BATCH = 5000;
/** Queries of WordNet, of words that have so many kinds. */
const QUERIES = 500;
const KINDS = [3, 50];
/** Lucene's, as KithDB has them. */
const STOP_WORDS = ('a an and are as at be but by for if in into is it no not of on or such that the their then there these they '
  + 'this to was will with').split(' ');

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, small: { type: 'boolean', default: false } } });
const cache = process.env.KITH_CACHE;
if (!cache) throw new Error('KITH_CACHE is not set: run npm run bench -- relevance');

const python = await pythonEnvironment('relevance', 'installing bm25s (PyPI, 20 MB)');
const results = {};
for (const [name, set] of Object.entries({ cranfield: cranfield(), wordnet: await wordnet(values.small ? 20_000 : Infinity) })) {
  if (!set) continue;
  const { version, ...theirs } = ranked(set);
  const rankings = { kithdb: await ours(set), ...theirs };
  const figures = Object.entries(rankings).map(([engine, found]) => [engine, mean(found.map((ids, i) => ndcg(ids, set.grades[i])))]);
  results[name] = { documents: set.documents.length, queries: set.queries.length, bm25s_version: version, ndcg: Object.fromEntries(figures) };
}
if (values.json) console.log(JSON.stringify(results));
else print();

/** 1,400 abstracts and 225 questions with graded judgements; where KITH_TEST_DATA says. */
function cranfield() {
  const path = join(process.env.KITH_TEST_DATA ?? '', 'cranfield/cranfield.json');
  if (!process.env.KITH_TEST_DATA || !existsSync(path)) return undefined;
  const { docs, queries, qrels } = JSON.parse(readFileSync(path, 'utf8'));
  const documents = docs.map(([id, title, text]) => [id, `${title} ${text}`]);
  return { documents, queries, grades: queries.map(([id]) => qrels[id] ?? {}) };
}

/** Glosses. A query is the first word of a set of synonyms, and its answers are the glosses of its direct hyponyms. */
async function wordnet(count) {
  const lines = (name) => createInterface({ input: createReadStream(join(cache, 'wordnet', name)) });
  const [documents, words, kinds] = [[], new Map(), new Map()];
  for await (const line of lines('documents.jsonl')) {
    if (documents.length === count) break;
    const { id, metadata } = JSON.parse(line);
    documents.push([id, metadata.gloss]);
    words.set(id, metadata.lemmas[0]);
  }
  for await (const line of lines('edges.jsonl')) {
    const { from, to, relation } = JSON.parse(line);
    if (relation !== 'hyponym' || !words.has(from) || !words.has(to)) continue;
    if (!kinds.has(from)) kinds.set(from, []);
    kinds.get(from).push(to);
  }
  const known = [...kinds].filter(([, of]) => of.length >= KINDS[0] && of.length <= KINDS[1]);
  const step = Math.max(1, Math.floor(known.length / QUERIES));
  const asked = known.filter((_, i) => i % step === 0).slice(0, QUERIES);
  return {
    documents,
    queries: asked.map(([id]) => [id, words.get(id)]),
    grades: asked.map(([, of]) => Object.fromEntries(of.map((id) => [id, 1]))),
  };
}

async function ours({ documents, queries }) {
  const db = await openMemory();
  const collection = await db.create('texts', { text: { fields: ['text'] } });
  for (let at = 0; at < documents.length; at += BATCH) {
    await collection.addMany(documents.slice(at, at + BATCH).map(([id, text]) => ({ id, metadata: { text } })));
  }
  const found = queries.map(([, text]) => collection.searchSync({ text, plain: true, k: K }).hits.map(({ id }) => id));
  await db.close();
  return found;
}

function ranked({ documents, queries }) {
  const input = JSON.stringify({ documents, queries, k: K, stop_words: STOP_WORDS });
  const program = join(ROOT, 'bench/runners/relevance.py');
  const { status, stdout, stderr } = spawnSync('python3', [program], { input, maxBuffer: 1 << 28, env: { ...process.env, ...python } });
  if (status !== 0) throw new Error(`bm25s has failed: ${stderr}`);
  return JSON.parse(stdout);
}

function ndcg(ids, grades) {
  const gain = (sum, grade, rank) => sum + grade / Math.log2(rank + 2);
  const best = Object.values(grades).sort((a, b) => b - a).slice(0, K).reduce(gain, 0);
  return best === 0 ? 0 : ids.map((id) => grades[id] ?? 0).reduce(gain, 0) / best;
}

function mean(all) {
  return all.reduce((a, b) => a + b, 0) / all.length;
}

function print() {
  for (const [name, { documents, queries, bm25s_version, ndcg: of }] of Object.entries(results)) {
    console.log(`${name}: ${documents} texts, ${queries} questions, nDCG@10`);
    console.log(`  KithDB                                  ${of.kithdb.toFixed(4)}`);
    console.log(`  bm25s ${bm25s_version}, its own k1 and b            ${of.bm25s.toFixed(4)}`);
    console.log(`  bm25s ${bm25s_version}, k1 1.2 and b 0.75           ${of.bm25s_alike.toFixed(4)}`);
  }
  if (!results.cranfield) console.log('Cranfield is left out: KITH_TEST_DATA does not say where it is.');
}
