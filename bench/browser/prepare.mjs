// The data of the browser benchmark, made once a run and served to all pages: the first glosses of WordNet, their
// vectors, questions from other glosses, and the exact answers.

import { createReadStream } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { openMemory } from 'kithdb';

const K = 10;
const BATCH = 5000;

/** Writes the data into a new folder. Returns the folder and what is exact for each question. */
export async function prepare(cache, count, questions) {
  const { documents, others } = await read(join(cache, 'wordnet/documents.jsonl'), count, questions);
  const vectors = await embed(cache, documents);
  const asked = await embed(cache, others);
  const words = others.map((gloss, i) => chosen(gloss, 2 + (i % 3)));
  const folder = await mkdtemp(join(tmpdir(), 'kithdb-bench-'));
  const put = (name, value) => writeFile(join(folder, `${name}.json`), JSON.stringify(value));
  await put('documents', documents.map((gloss, i) => ({ id: `${i}`, gloss })));
  await put('words', words);
  await put('dim', asked[0].length);
  await put('glosses', others);
  await put('first', { vector: [...asked[0]], text: words[0], documents: documents.length });
  await writeFile(join(folder, 'vectors.f32'), bytes(vectors));
  await writeFile(join(folder, 'queries.f32'), bytes(asked));
  return { folder, isRight: asked.map((query) => exact(query, vectors)) };
}

/** The first glosses, and as many others spread over the rest; of these only what has four words to ask for. */
async function read(path, count, questions) {
  const glosses = [];
  for await (const line of createInterface({ input: createReadStream(path) })) glosses.push(JSON.parse(line).metadata.gloss);
  const rest = glosses.slice(count).filter((gloss) => wordsOf(gloss).length >= 4);
  const step = Math.floor(rest.length / questions);
  const others = Array.from({ length: questions }, (_, i) => rest[i * step]);
  return { documents: glosses.slice(0, count), others };
}

const wordsOf = (gloss) => [...new Set(gloss.toLowerCase().match(/[a-z]{4,}/g) ?? [])];

/** So many words of a gloss, spread over it. */
function chosen(gloss, count) {
  const words = wordsOf(gloss);
  return Array.from({ length: count }, (_, i) => words[Math.floor((i * words.length) / count)]).join(' ');
}

async function embed(cache, glosses) {
  const db = await openMemory({ embedder: join(cache, 'embedder/wordllama-256') });
  const collection = await db.create('texts', { text: { fields: ['gloss'] }, embedder: true });
  for (let at = 0; at < glosses.length; at += BATCH) {
    await collection.addMany(glosses.slice(at, at + BATCH).map((gloss, i) => ({ id: `${at + i}`, metadata: { gloss } })));
  }
  const vectors = [];
  for await (const { vector } of collection.scan()) vectors.push(vector);
  await db.close();
  const missing = vectors.findIndex((vector) => !vector);
  if (missing >= 0) throw new Error(`no vector for ${JSON.stringify(glosses[missing])}`);
  return vectors;
}

/**
 * Whether an id is among the nearest, by cosine in f64. An equally near one is as right, within what f32 can tell:
 * different glosses may have one vector.
 */
function exact(query, vectors) {
  const near = vectors.map((vector) => cosine(query, vector));
  const last = Float64Array.from(near).sort().at(-Math.min(K, near.length));
  return (id) => near[Number(id)] >= last - 1e-6;
}

function cosine(a, b) {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return dot / Math.sqrt(aa * bb);
}

function bytes(vectors) {
  return Buffer.concat(vectors.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)));
}
