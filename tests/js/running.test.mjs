// Jobs that take a while, on the addon and on the browser module: how far they are, cancelling them, and estimates.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import * as native from 'kithdb';
import * as browser from 'kithdb/wasm';

import { after } from './support.mjs';

const WASM = new URL('../../js/dist/wasm/kithdb_wasm_bg.wasm', import.meta.url);
const ENGINES = {
  'the addon': () => native.openMemory(),
  'the browser module': async () => browser.openMemory({ wasm: await readFile(WASM) }),
};
const [COUNT, DIM] = [6000, 32];

/** Vectors that are no uniform noise, the same each time. */
function* vectors() {
  let state = 7;
  const next = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const centres = Array.from({ length: 30 }, () => Array.from({ length: DIM }, next));
  for (let i = 0; i < COUNT; i++) yield Float32Array.from(centres[i % 30], (x) => x + 0.3 * next());
}

for (const [name, open] of Object.entries(ENGINES)) {
  test(`jobs of ${name} tell how far they are, and end when they are cancelled`, async (t) => {
    const db = await open();
    after(t, () => db.close());
    const collection = await db.create('c', { metric: 'euclidean', ef_construction: 40, stored: 'f16' });
    await collection.addMany(Array.from(vectors(), (vector, i) => ({ id: `d${i}`, vector })));
    await collection.optimize();
    assert.equal(await collection.job(), null);
    assert.equal(await collection.cancelJob(), false);

    const estimate = await collection.estimate({ sample: 3000, queries: 20 });
    // Of 32 components there are too few for bits.
    const found = ({ codes, recall }) => recall > (codes === 'bits' ? 0.6 : 0.9);
    assert.deepEqual([estimate.vectors, estimate.sample, estimate.queries, estimate.k], [COUNT, 3000, 20, 10]);
    assert.ok([...estimate.codes, ...estimate.stored].every(found), JSON.stringify(estimate));

    // Once it is cancelled the codes are those of before.
    const cancelling = new AbortController();
    const compressing = collection.compress('pq', { signal: cancelling.signal });
    cancelling.abort();
    await assert.rejects(compressing, { code: 'cancelled' });
    assert.equal((await collection.info()).codes, 'int8');

    const told = [];
    await collection.compress('pq', { onProgress: (job) => told.push(job) });
    // A quick machine has nothing to tell.
    assert.ok(told.every(({ kind, done, total }) => kind === 'recode' && done <= total));
    assert.equal((await collection.info()).codes, 'pq');
    assert.equal(await collection.recode(), false);
    const [vector] = vectors();
    assert.equal((await collection.search({ vector, k: 1 })).hits[0].id, 'd0');
    await assert.rejects(collection.compress('pq', { signal: AbortSignal.abort() }), { code: 'cancelled' });
    await assert.rejects(collection.compress('float'), { code: 'invalid_parameter' });
  });

  test(`${name} tells how far a relink and a look for components are, and ends them`, async (t) => {
    const db = await open();
    after(t, () => db.close());
    const collection = await db.create('c');
    const documents = Array.from({ length: COUNT }, (_, i) => ({ id: `d${i}`, metadata: { to: `d${i >> 1}` } }));
    await collection.addMany(documents, { bulk: true });
    await collection.configure({ auto_links: [{ field: 'to', relation: 'to' }] });
    const told = [];
    const options = { onProgress: (job) => told.push(job), signal: AbortSignal.timeout(600_000) };
    assert.deepEqual(await collection.graph.relink(options), { documents: COUNT, linked: COUNT - 1 });
    assert.deepEqual(await collection.graph.relink(options), { documents: COUNT, linked: 0 });
    const { components, truncated } = await collection.graph.components({ limit: 1 }, options);
    assert.deepEqual([components, truncated], [[{ first: 'd0', len: COUNT }], true]);
    assert.ok(told.every(({ kind, done, total }) => ['relink', 'components'].includes(kind) && done <= total));
    await assert.rejects(collection.graph.relink({ signal: AbortSignal.abort() }), { code: 'cancelled' });
    await assert.rejects(collection.graph.components({}, { signal: AbortSignal.abort() }), { code: 'cancelled' });
    const failing = () => {
      throw new Error('mine');
    };
    // Told or not, depending on how quick it is.
    await collection.graph.relink({ onProgress: failing }).catch((error) => assert.equal(error.message, 'mine'));
    assert.equal(await collection.job(), null);
  });
}
