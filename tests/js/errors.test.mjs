// Bad input in Node: a typed error with its code, and nothing is lost or half-written.

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { KithError, open } from 'kithdb';

import { after, folder, memory, refused } from './support.mjs';

async function small(t, config) {
  const db = await memory(t);
  const collection = await db.create('a', config);
  await collection.add({ id: 'there', vector: [1, 0], metadata: { n: 1 } });
  return { db, collection };
}

test('vectors that cannot be searched are refused', async (t) => {
  const { collection } = await small(t);
  const bad = [
    [[NaN, 0], 'invalid_vector'],
    [[Infinity, 0], 'invalid_vector'],
    [[1e39, 0], 'invalid_vector'],
    [[1e16, 0], 'invalid_vector'],
    [[0, 0], 'invalid_vector'],
    [['1', 0], 'invalid_vector'],
    [[undefined, 0], 'invalid_vector'],
    [new Float32Array([-Infinity, 0]), 'invalid_vector'],
    [[1, 2, 3], 'dimension_mismatch'],
    ['1,0', 'invalid_request'],
    [{ 0: 1, 1: 0, length: 2 }, 'invalid_request'],
    [new Float64Array([1, 0]), 'invalid_request'],
  ];
  for (const [vector, code] of bad) {
    await refused(code, () => collection.add({ id: 'bad', vector }));
    await refused(code, () => collection.search({ vector }));
    await refused(code, () => collection.searchSync({ vector }));
  }
  const error = await refused('dimension_mismatch', () => collection.add({ id: 'bad', vector: [1, 2, 3] }));
  assert.deepEqual([error.expected, error.got], ['2', '3']);
  await refused('invalid_vector', () => collection.addMany([{ id: 'good', vector: [1, 1] }, { id: 'bad', vector: [NaN, 1] }]));
  assert.equal((await collection.info()).documents, 1);
});

test('ids that cannot be told apart or written are refused', async (t) => {
  const { collection } = await small(t);
  for (const id of ['', 'x'.repeat(1025), 'a\0b', '\ud800', 'a\udc00', 7, null, undefined, {}]) {
    await refused('invalid_id', () => collection.add({ id }));
    await refused('invalid_id', () => collection.delete([id]));
  }
  await refused('invalid_id', () => collection.get('\ud800'));
  await collection.add({ id: '\u{10ffff}'.repeat(256) });
});

test('metadata that JSON cannot hold is refused, not changed', async (t) => {
  const { collection } = await small(t);
  const circle = {};
  circle.circle = circle;
  const bad = [
    { n: NaN }, { n: -Infinity }, { deep: [{ n: Infinity }] }, { n: 1n }, { n: undefined }, { list: [undefined] },
    { list: [, 1] }, { f() {} }, { s: Symbol('s') }, { map: new Map() }, { set: new Set() }, { d: new Date(NaN) },
    { v: new Float32Array(1) }, { r: /x/ }, { text: '\ud800' }, { '\udc00': 1 }, circle, [1], 'text', 7,
  ];
  for (const metadata of bad) {
    await refused('invalid_metadata', () => collection.upsert({ id: 'bad', metadata }));
  }
  const error = await refused('invalid_metadata', () => collection.add({ id: 'bad', metadata: { a: [{ n: NaN }] } }));
  assert.match(error.message, /metadata\.a\[0\]\.n/);
  await refused('too_large', () => collection.add({ id: 'bad', metadata: { text: 'x'.repeat(2 ** 20) } }));
  let deep = {};
  for (let i = 0; i < 40; i++) deep = { deep };
  await refused('invalid_metadata', () => collection.add({ id: 'bad', metadata: deep }));
  assert.equal(await collection.get('bad'), null);
});

test('a filter that cannot be read says where', async (t) => {
  const { collection } = await small(t);
  const error = await refused('invalid_filter', () => collection.search({ vector: [1, 0], filter: 'n >= 1 AND (' }));
  assert.equal(error.position, 12);
  assert.ok(error.hint.includes('AND'));
});

test('parameters out of range and unknown ones are refused', async (t) => {
  const { db, collection } = await small(t);
  for (const request of [{ k: 0 }, { k: 1e6 }, { alpha: 2 }, { alpha: 0.5, rrf_k: 60 }]) {
    await refused('invalid_parameter', () => collection.search({ vector: [1, 0], ...request }));
  }
  for (const request of [{ k: NaN }, { k: 1.5 }, { k: -1 }, { k: '3' }, { k: 1n }, { limit: 3 }, { text: '\ud800' }]) {
    await refused('invalid_request', () => collection.search({ vector: [1, 0], ...request }));
  }
  await refused('invalid_request', () => collection.search('text'));
  await refused('invalid_request', () => collection.search());
  await refused('invalid_request', () => collection.add({ id: 'x', metdata: {} }));
  await refused('invalid_request', () => collection.add(null));
  await refused('invalid_request', () => collection.addMany({ id: 'x' }));
  await refused('invalid_request', () => collection.add({ id: 'x' }, { durabilty: 'always' }));
  await refused('invalid_parameter', () => collection.add({ id: 'x' }, { durability: 'never' }));
  await refused('invalid_parameter', () => collection.page({ limit: 0 }));
  await refused('invalid_parameter', () => collection.page({ cursor: 'no cursor' }));
  await refused('invalid_parameter', () => db.create('b', { metric: 'hamming' }));
  await refused('invalid_parameter', () => db.create('b', { text: { language: 'klingon' } }));
  await refused('invalid_request', () => db.create('b', { metrc: 'dot' }));
  await refused('no_embedder', () => db.create('b', { text: {}, embedder: true }));
});

test('names are checked', async (t) => {
  const { db } = await small(t);
  for (const name of ['', '../up', 'a b', 'x'.repeat(129), '\ud800']) {
    await refused('invalid_name', () => db.create(name));
  }
  await refused('invalid_request', () => db.create(7));
  await refused('collection_exists', () => db.create('a'));
  const error = await refused('unknown_collection', () => db.collection('b'));
  assert.ok(error instanceof KithError && error instanceof Error);
  assert.equal(error.name, 'KithError');
  assert.ok(error.hint.length > 0);
});

test('open refuses what it cannot open', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'file'), 'text');
  await refused('io_failed', () => open(join(path, 'file')));
  await refused('invalid_parameter', () => open(path, { durability: 'never' }));
  await refused('invalid_request', () => open(path, { durabilty: 'always' }));
  await refused('invalid_request', () => open('\ud800'));
  await refused('invalid_request', () => open());
  await refused('invalid_file', () => open(path, { embedder: join(path, 'none') }));
});

test('a file that is no export, or a damaged one, makes no collection', async (t) => {
  const { db, collection } = await small(t);
  const file = await collection.export();
  await refused('invalid_request', () => db.import('copy', [...file]));
  for (const bytes of [new Uint8Array(), new TextEncoder().encode('no export'), file.slice(0, file.length / 2)]) {
    await assert.rejects(() => db.import('copy', bytes), KithError);
  }
  for (let at = 0; at < file.length; at += Math.ceil(file.length / 50)) {
    const damaged = file.slice();
    damaged[at] ^= 0x10;
    try {
      const copy = await db.import('copy', damaged);
      // A flipped bit of padding changes nothing; any other would have been refused.
      assert.deepEqual((await copy.get('there')).metadata, { n: 1 });
      await db.drop('copy');
    } catch (error) {
      assert.ok(error instanceof KithError && ['invalid_file', 'corrupt'].includes(error.code), `${at}: ${error}`);
    }
  }
  assert.deepEqual((await db.collections()).map((info) => info.name), ['a']);
});

/** The files of all collections whose name fits. */
function files(path, name) {
  const all = readdirSync(path, { recursive: true }).map(String);
  return all.filter((file) => name.test(file)).map((file) => join(path, file));
}

test('a torn log loses only what was being written', async (t) => {
  const path = folder(t);
  const first = await open(path);
  const written = await first.create('a');
  for (const id of ['one', 'two', 'three']) await written.add({ id });
  await first.close();
  const [log] = files(path, /wal-/);
  truncateSync(log, readFileSync(log).length - 5);
  const second = await open(path);
  assert.deepEqual((await second.collection('a').page()).documents.map((document) => document.id), ['one', 'two']);
  await second.collection('a').add({ id: 'four' });
  await second.close();
  appendFileSync(files(path, /wal-/)[0], 'half a frame');
  const third = await open(path);
  after(t, () => third.close());
  assert.deepEqual((await third.collection('a').page()).documents.map((document) => document.id), ['one', 'two', 'four']);
});

test('a damaged collection says so and the others serve', async (t) => {
  const path = folder(t);
  const first = await open(path);
  for (const name of ['good', 'bad']) {
    const collection = await first.create(name);
    await collection.addMany(Array.from({ length: 50 }, (_, i) => ({ id: `d${i}`, metadata: { text: 'x'.repeat(100), i } })));
    await collection.seal();
  }
  await first.close();
  const blobs = files(path, /^c.\d+.(?!CURRENT|MANIFEST|wal)/).sort();
  const damaged = blobs[blobs.length - 1];
  for (const file of blobs.filter((blob) => blob.startsWith(join(damaged, '..')))) {
    const bytes = readFileSync(file);
    for (let at = 0; at < bytes.length; at += 64) bytes[at] ^= 1;
    writeFileSync(file, bytes);
  }
  const db = await open(path);
  after(t, () => db.close());
  const bad = damaged.includes(join('c', '0')) ? 'good' : 'bad';
  const good = bad === 'bad' ? 'good' : 'bad';
  assert.equal((await db.collection(good).page()).documents.length, 50);
  await assert.rejects(async () => db.collection(bad).page(), (error) => {
    assert.ok(['unopenable', 'corrupt'].includes(error.code), String(error));
    return true;
  });
});
