// KithDB through its public interface: builds and searches collections in memory, and saves them.

import { open, openMemory } from '/kithdb/browser.js';

import { each, eachAwaited, milliseconds } from './clock.mjs';
import { documents, glosses, queries, vectors, words } from './data.mjs';
import { memory } from './memory.mjs';
import { rows } from './rows.mjs';

const K = 10;
const BATCH = 5000;

/** The module that the engine loads, to see what a call into it takes. */
const module = await import('/kithdb/wasm/kithdb_wasm.js');

let collection;

/** Writes, seals and indexes until nothing is left to do; milliseconds of each part. */
async function build(database, config, all) {
  collection = await database.create('bench', config);
  const write = await milliseconds(async () => {
    for (let at = 0; at < all.length; at += BATCH) await collection.addMany(all.slice(at, at + BATCH));
  });
  const settle = await milliseconds(async () => {
    await collection.seal();
    while (await collection.index());
  });
  const { segments, indexed, memtable } = await collection.info();
  return { write, settle, total: write + settle, segments, indexed, memtable };
}

const numbered = (all) => all.map((vector, i) => ({ id: `${i}`, vector }));
const vectorsOnly = async () => numbered(await vectors());
const textsOnly = async () => (await documents()).map(({ id, gloss }) => ({ id, metadata: { gloss } }));

const VECTORS = { m: 16, ef_construction: 200 };
const TEXT = { text: { fields: ['gloss'] } };

const work = {
  async vectors(options) {
    const all = await vectorsOnly();
    return build(await openMemory(options), VECTORS, all);
  },
  async words() {
    const all = await textsOnly();
    return build(await openMemory(), TEXT, all);
  },
  async hybrid() {
    const database = await openMemory({ embedder: '/embedder/wordllama-256' });
    const all = await textsOnly();
    return build(database, { ...TEXT, embedder: true }, all);
  },
};

/** Requests of a kind; prepared before they are timed. */
const requests = {
  vectors: async (more) => (await queries()).map((vector) => ({ vector, k: K, ...more })),
  words: async () => (await words()).map((text) => ({ text, k: K })),
  hybrid: async () => (await glosses()).map((text) => ({ text, k: K })),
};

const ids = (request) => collection.searchSync(request).hits.map(({ id }) => id);

/** Milliseconds spent in the module of all that the calls take. */
function share(asked) {
  const { search } = module.WasmDatabase.prototype;
  let inside = 0;
  module.WasmDatabase.prototype.search = function timed(...given) {
    const start = performance.now();
    const answer = search.apply(this, given);
    inside += performance.now() - start;
    return answer;
  };
  const all = each(asked, (request) => collection.searchSync(request)).reduce((a, b) => a + b, 0);
  module.WasmDatabase.prototype.search = search;
  return inside / all;
}

/** What is saved of each kind. */
const saved = {
  vectors: async () => [VECTORS, await vectorsOnly()],
  words: async () => [TEXT, await textsOnly()],
  both: async () => {
    const all = await vectors();
    return [{ ...VECTORS, ...TEXT }, (await textsOnly()).map((document, i) => ({ ...document, vector: all[i] }))];
  },
  rows: async () => [VECTORS, numbered(rows())],
};

/** Makes a saved database; milliseconds until it is all durable. */
async function save(kind) {
  const [config, all] = await saved[kind]();
  const database = await open(`bench-${kind}`);
  const built = await build(database, config, all);
  const close = await milliseconds(() => database.close());
  return { ...built, total: built.total + close };
}

export default async () => {
  globalThis.bench = {
    build: async (kind, options) => ({ ...await work[kind](options), memory: await memory() }),
    time: async (kind, more) => each(await requests[kind](more), (request) => collection.searchSync(request)),
    timeAsync: async (kind, more) => eachAwaited(await requests[kind](more), (request) => collection.search(request)),
    answers: async (kind, more) => (await requests[kind](more)).map(ids),
    share: async (kind, more) => share(await requests[kind](more)),
    save,
  };
};
