// How well words rank, beside bm25s with the same stemmer and stop words: nDCG@10 on Cranfield, and on WordNet, where a
// word asks for the glosses of what it is the kind of. And how well vectors of texts rank on Cranfield, alone and with words:
// those of the embedders, through the core, and of the sentence model all-MiniLM-L6-v2.
// Usage: npm run bench -- relevance [--json] [--small] [--no-page] [--embedder DIR]...

import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { openMemory } from 'kithdb';

import { ROOT } from '../.ci/lib/run.mjs';
import { DIMS, DISTILLED } from './vectors/distilled.mjs';
import { PAGE, markdown, replaced } from './vectors/page.mjs';
import { pythonEnvironment } from './vectors/python.mjs';
import { revision } from './vectors/revision.mjs';

const K = 10;
const BATCH = 5000;
/** Queries of WordNet, of words that have so many kinds. */
const QUERIES = 500;
const KINDS = [3, 50];
/** Lucene's, as KithDB has them. */
const STOP_WORDS = ('a an and are as at be but by for if in into is it no not of on or such that the their then there these they '
  + 'this to was will with').split(' ');

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    'no-page': { type: 'boolean', default: false },
    embedder: { type: 'string', multiple: true, default: [] },
  },
});
const cache = process.env.KITH_CACHE;
if (!cache) throw new Error('KITH_CACHE is not set: run npm run bench -- relevance');

/** What the core embeds with: the demo's table, and those that `npm run bench -- distil` has made. */
const distilled = DIMS.map((dim) => join(cache, DISTILLED, `minilm-static-${dim}`));
const EMBEDDERS = [join(cache, 'embedder/wordllama-256'), ...distilled].filter((folder) => existsSync(folder));
/** Whose vectors come with the data: an int8 model of ONNX, a mean of all tokens. */
const MODEL = 'all-MiniLM-L6-v2, the model itself in int8';

const python = await pythonEnvironment('relevance', 'installing bm25s (PyPI, 20 MB)');
const results = {};
const tests = cranfield();
if (tests) results.vectors = await byVectors(tests);
for (const [name, set] of Object.entries({ cranfield: tests, wordnet: await wordnet(values.small ? 20_000 : Infinity) })) {
  if (!set) continue;
  const { version, ...theirs } = ranked(set);
  const rankings = { kithdb: await ours(set), ...theirs };
  const figures = Object.entries(rankings).map(([engine, found]) => [engine, meanNdcg(set, found)]);
  results[name] = { documents: set.documents.length, queries: set.queries.length, bm25s_version: version, ndcg: Object.fromEntries(figures) };
}
if (values.json) console.log(JSON.stringify(results));
else print();
const isPlain = !values.small && !values['no-page'] && values.embedder.length === 0;
if (isPlain && results.vectors?.length > DIMS.length + 1) writeFileSync(PAGE, replaced(readFileSync(PAGE, 'utf8'), 'relevance', section()));

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
  await store(collection, documents.map(([id, text]) => ({ id, metadata: { text } })));
  const found = queries.map(([, text]) => collection.searchSync({ text, plain: true, k: K }).hits.map(({ id }) => id));
  await db.close();
  return found;
}

/** nDCG@10 of vectors alone and of both, of each embedder; and of the model's vectors, where the data have them. */
async function byVectors(set) {
  const figures = [];
  for (const folder of EMBEDDERS.concat(values.embedder)) {
    const bytes = ['model.safetensors', 'tokenizer.json'].reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    const db = await openMemory({ embedder: folder });
    const config = { text: { fields: ['text'] }, embedder: true };
    const [texts, questions] = [await db.create('texts', config), await db.create('questions', config)];
    await store(texts, set.documents.map(([id, text]) => ({ id, metadata: { text } })));
    // A question's vector is read from where the core stored it: a search by it asks no words.
    await store(questions, set.queries.map(([id, text]) => ({ id, metadata: { text } })));
    const vectors = await questions.getMany(set.queries.map(([id]) => id));
    const [dim] = vectors.map(({ vector }) => vector.length);
    figures.push({ name: basename(folder), dim, bytes, ...rankedBy(texts, set, vectors.map(({ vector }) => vector), false) });
    await db.close();
  }
  const model = ['documents', 'queries'].map((part) => join(process.env.KITH_TEST_DATA, `cranfield/${part}_minilm.npy`));
  if (model.every((path) => existsSync(path))) {
    const [documents, queries] = model.map(readRows);
    const db = await openMemory();
    const texts = await db.create('texts', { text: { fields: ['text'] } });
    await store(texts, set.documents.map(([id, text], i) => ({ id, vector: documents[i], metadata: { text } })));
    figures.push({ name: MODEL, dim: queries[0].length, ...rankedBy(texts, set, queries, true) });
    await db.close();
  }
  return figures;
}

/** Both: a collection with an embedder makes a question's vector by itself, any other is given it. */
function rankedBy(texts, set, vectors, isGiven) {
  const ask = (request) => texts.searchSync({ ...request, k: K, exact: true }).hits.map(({ id }) => id);
  const alone = vectors.map((vector) => ask({ vector }));
  const both = set.queries.map(([, text], i) => ask({ text, plain: true, ...(isGiven && { vector: vectors[i] }) }));
  return { vectors: meanNdcg(set, alone), both: meanNdcg(set, both) };
}

async function store(collection, documents) {
  for (let at = 0; at < documents.length; at += BATCH) await collection.addMany(documents.slice(at, at + BATCH));
}

/** The rows of a matrix of f32 in NumPy's format, as the test data have it. */
function readRows(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const [, rows, width] = /'<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)/.exec(bytes.subarray(10, start).toString());
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
  return Array.from({ length: Number(rows) }, (_, i) => numbers.slice(i * width, (i + 1) * width));
}

function ranked({ documents, queries }) {
  const input = JSON.stringify({ documents, queries, k: K, stop_words: STOP_WORDS });
  const program = join(ROOT, 'bench/runners/relevance.py');
  const { status, stdout, stderr } = spawnSync('python3', [program], { input, maxBuffer: 1 << 28, env: { ...process.env, ...python } });
  if (status !== 0) throw new Error(`bm25s has failed: ${stderr}`);
  return JSON.parse(stdout);
}

function meanNdcg(set, found) {
  return mean(found.map((ids, i) => ndcg(ids, set.grades[i])));
}

function ndcg(ids, grades) {
  const gain = (sum, grade, rank) => sum + grade / Math.log2(rank + 2);
  const best = Object.values(grades).sort((a, b) => b - a).slice(0, K).reduce(gain, 0);
  return best === 0 ? 0 : ids.map((id) => grades[id] ?? 0).reduce(gain, 0) / best;
}

function mean(all) {
  return all.reduce((a, b) => a + b, 0) / all.length;
}

function section() {
  const { vectors, cranfield: { ndcg: of, bm25s_version } } = results;
  const words = { 'words alone, KithDB': of.kithdb, [`words alone, bm25s ${bm25s_version}`]: of.bm25s };
  const rows = Object.entries(words).map(([name, score]) => [name, '', '', '', score.toFixed(4)]);
  for (const { name, dim, bytes, vectors: alone, both } of vectors) rows.push([name, dim, bytes ?? '', alone.toFixed(4), both.toFixed(4)]);
  return `\nRevision ${revision()}.\n\n${markdown(['', 'dimensions', 'bytes of both files', 'vectors alone', 'with words'], rows)}\n`;
}

function print() {
  const { vectors, ...words } = results;
  for (const [name, { documents, queries, bm25s_version, ndcg: of }] of Object.entries(words)) {
    console.log(`${name}: ${documents} texts, ${queries} questions, nDCG@10`);
    console.log(`  KithDB                                  ${of.kithdb.toFixed(4)}`);
    console.log(`  bm25s ${bm25s_version}, its own k1 and b            ${of.bm25s.toFixed(4)}`);
    console.log(`  bm25s ${bm25s_version}, k1 1.2 and b 0.75           ${of.bm25s_alike.toFixed(4)}`);
  }
  if (vectors) {
    console.log('cranfield by vectors, nDCG@10                     dim      bytes    alone  with words');
    for (const { name, dim, bytes, vectors: alone, both } of vectors) {
      const size = bytes === undefined ? '' : String(bytes);
      console.log(`  ${name.padEnd(46)} ${String(dim).padStart(4)} ${size.padStart(10)}   ${alone.toFixed(4)}  ${both.toFixed(4)}`);
    }
  }
  if (!distilled.some((folder) => existsSync(folder))) console.log('The tables of MiniLM are left out: npm run bench -- distil makes them.');
  if (!results.cranfield) console.log('Cranfield is left out: KITH_TEST_DATA does not say where it is.');
}
