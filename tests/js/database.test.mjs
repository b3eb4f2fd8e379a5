// What a database and its collections do in Node.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import * as imported from 'kithdb';
import { deleteDatabase, open } from 'kithdb';

import { after, folder, memory, refused } from './support.mjs';

const FILMS = [
  { id: 'alien', vector: [0.9, 0.1], metadata: { plot: 'creature in deep space', year: 1979 } },
  { id: 'up', vector: [0.1, 0.9], metadata: { plot: 'a house under balloons', year: 2009 } },
  { id: 'moon', metadata: { plot: 'alone in space', year: 2009 } },
];

async function films(db, name = 'films') {
  const collection = await db.create(name, { text: {} });
  await collection.addMany(FILMS);
  return collection;
}

test('an import has all that require gives', () => {
  const required = createRequire(import.meta.url)('kithdb');
  assert.deepEqual({ ...imported }, { ...required });
});

test('a document comes back as it was given', async (t) => {
  const db = await memory(t);
  const collection = await db.create('a');
  const metadata = {
    text: 'caf\u00e9 \u{1f600}',
    deep: { list: [1, -0.5, null, true, { x: [] }], 'empty name': { '': 1 } },
    large: 2 ** 60,
    tiny: 5e-324,
    when: new Date(0),
  };
  await collection.add({ id: 'x', vector: new Float32Array([0.1, -2]), metadata });
  const document = await collection.get('x');
  assert.equal(document.id, 'x');
  assert.ok(document.vector instanceof Float32Array);
  assert.deepEqual(document.vector, new Float32Array([0.1, -2]));
  assert.deepEqual(document.metadata, { ...metadata, when: '1970-01-01T00:00:00.000Z' });
});

test('documents with and without a vector come back in the order of the ids', async (t) => {
  const db = await memory(t);
  const collection = await films(db);
  const documents = await collection.getMany(['moon', 'none', 'up', 'alien', 'up']);
  assert.deepEqual(documents.map((document) => document && document.id), ['moon', null, 'up', 'alien', 'up']);
  assert.equal(documents[0].vector, null);
  assert.deepEqual(documents[2].vector, new Float32Array([0.1, 0.9]));
  assert.deepEqual(documents[3].vector, new Float32Array([0.9, 0.1]));
  assert.equal(await collection.get('none'), null);
});

test('a search finds by vector, words, both and filter, and answers the same at once and later', async (t) => {
  const db = await memory(t);
  const collection = await films(db);
  const ids = (result) => result.hits.map((hit) => hit.id);
  const requests = [
    [{ vector: [1, 0] }, ['alien', 'up']],
    [{ vector: new Float32Array([0, 1]), k: 1 }, ['up']],
    [{ text: 'space' }, ['moon', 'alien']],
    [{ text: 'space', vector: [1, 0], alpha: 0.9 }, ['alien', 'moon', 'up']],
    [{ vector: [1, 0], filter: 'year = 2009' }, ['up']],
    [{ vector: [1, 0], text: undefined, filter: null, offset: 1 }, ['up']],
  ];
  for (const [request, expected] of requests) {
    const result = await collection.search(request);
    assert.deepEqual(ids(result), expected, JSON.stringify(request));
    assert.deepEqual(collection.searchSync(request), result);
  }
});

test('a hit says why it came and brings its vector when asked', async (t) => {
  const db = await memory(t);
  const collection = await films(db);
  const { hits } = await collection.search({ text: 'space', vector: [1, 0], with_vector: true, explain: true });
  const alien = hits.find((hit) => hit.id === 'alien');
  assert.deepEqual(alien.vector, new Float32Array([0.9, 0.1]));
  assert.equal(alien.explanation.vector.rank, 1);
  assert.equal(alien.explanation.words.terms[0].term, 'space');
  const moon = hits.find((hit) => hit.id === 'moon');
  assert.ok(!('vector' in moon));
  assert.equal(moon.explanation.vector, null);
});

test('a trace tells how the nearest of each part were found', async (t) => {
  const db = await memory(t);
  const collection = await films(db);
  const { trace } = await collection.search({ vector: [1, 0], trace: true });
  const { documents } = await collection.info();
  assert.deepEqual([...new Set(trace.map((part) => part.plan))], ['exact']);
  assert.equal(trace.reduce((sum, part) => sum + part.documents, 0), documents);
  assert.ok(trace.every((part) => part.distances <= part.documents && part.path.length === 0));
  assert.ok(!('trace' in (await collection.search({ vector: [1, 0] }))));
});

test('a field in a filter that no document has is a warning', async (t) => {
  const db = await memory(t);
  const collection = await films(db);
  const { hits, warnings } = await collection.search({ vector: [1, 0], filter: 'yaer = 2009' });
  assert.deepEqual(hits, []);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /yaer/);
});

test('upsert replaces, add refuses, delete counts', async (t) => {
  const db = await memory(t);
  const collection = await films(db);
  assert.deepEqual(await collection.upsert({ id: 'up', metadata: { year: 2010 } }), { written: 1, replaced: 1 });
  assert.deepEqual((await collection.get('up')).metadata, { year: 2010 });
  assert.deepEqual(await collection.upsertMany([{ id: 'up' }, { id: 'new' }]), { written: 2, replaced: 1 });
  await refused('document_exists', () => collection.addMany([{ id: 'newer' }, { id: 'up' }]));
  assert.equal(await collection.get('newer'), null, 'a batch is stored whole or not at all');
  assert.equal(await collection.delete('new'), 1);
  assert.equal(await collection.delete(['up', 'none', 'moon']), 2);
  assert.equal((await collection.info()).documents, 1);
});

test('a scan goes through all documents in pages', async (t) => {
  const db = await memory(t);
  const collection = await db.create('many');
  const all = Array.from({ length: 1203 }, (_, i) => ({ id: `d${i}`, metadata: { i } }));
  await collection.addMany(all);
  const first = await collection.page({ limit: 10 });
  assert.deepEqual(first.documents.map((document) => document.id), all.slice(0, 10).map((document) => document.id));
  const second = await collection.page({ limit: 5, cursor: first.next });
  assert.equal(second.documents[0].id, 'd10');
  const seen = [];
  for await (const document of collection.scan()) seen.push(document.id);
  assert.deepEqual(seen, all.map((document) => document.id));
  assert.equal((await collection.page({ limit: 10, cursor: null })).documents.length, 10);
});

test('seal, index, merge and optimize change where documents are and nothing else', async (t) => {
  const db = await memory(t);
  const collection = await films(db);
  const request = { text: 'space', vector: [1, 0], exact: true, explain: true };
  const before = collection.searchSync(request);
  assert.equal(await collection.seal(), true);
  assert.equal(await collection.seal(), false);
  assert.equal(await collection.index(), true);
  await collection.add({ id: 'other', vector: [-1, 0] });
  assert.equal(await collection.seal(), true);
  await collection.delete('other');
  assert.equal(await collection.merge(), true);
  assert.deepEqual(collection.searchSync(request), before);
  const info = await collection.info();
  assert.deepEqual([info.documents, info.memtable, info.segments], [3, 0, 1]);
  await collection.add({ id: 'other', vector: [-1, 0] });
  await collection.seal();
  await collection.delete('other');
  assert.equal(await collection.optimize(), true);
  assert.equal(await collection.optimize(), false);
  assert.deepEqual(collection.searchSync(request), before);
  const { segments, indexed, ended } = await collection.info();
  assert.deepEqual([segments, indexed, ended], [1, 1, 0]);
});

test('an export opens as another collection', async (t) => {
  const db = await memory(t);
  const collection = await films(db);
  const file = await collection.export();
  assert.ok(file instanceof Uint8Array);
  const copy = await db.import('copy', file);
  const request = { text: 'space', vector: [1, 0], exact: true };
  assert.deepEqual(copy.searchSync(request), collection.searchSync(request));
  assert.deepEqual((await db.collections()).map((info) => info.name), ['copy', 'films']);
});

test('what was stored is there after the directory is opened again', async (t) => {
  const path = folder(t);
  const first = await open(path, { durability: 'always', threads: 1 });
  const stored = await films(first);
  await stored.seal();
  await stored.upsert({ id: 'late', metadata: { plot: 'space' } }, { durability: 'everysec' });
  await first.create('empty', { metric: 'dot', dim: 3 });
  await first[Symbol.asyncDispose]();
  const db = await open(path);
  after(t, () => db.close());
  const collection = db.collection('films');
  assert.equal(collection.name, 'films');
  assert.equal((await collection.info()).documents, 4);
  assert.deepEqual((await collection.search({ text: 'balloons' })).hits.map((hit) => hit.id), ['up']);
  const info = await db.collection('empty').info();
  assert.deepEqual([info.metric, info.dim, info.documents], ['dot', 3, 0]);
  await db.drop('empty');
  await refused('unknown_collection', () => db.collection('empty'));
});

test('a deleted database is gone with its directory, and nothing else is', async (t) => {
  const path = join(folder(t), 'films');
  assert.equal(await deleteDatabase(path), false);
  const db = await open(path);
  await films(db);
  const locked = await refused('database_locked', () => deleteDatabase(path));
  assert.match(locked.message, new RegExp(`process ${process.pid}$`));
  assert.equal((await db.collection('films').info()).documents, 3);
  await db.close();
  assert.equal(await deleteDatabase(path), true);
  assert.equal(existsSync(path), false);
  // Somebody's own folder, and one that has a file of his beside a database.
  mkdirSync(join(path, 'c'), { recursive: true });
  const none = await refused('invalid_parameter', () => deleteDatabase(path));
  assert.deepEqual([none.got, /directory of a database/.test(none.expected)], [path, true]);
  await refused('invalid_request', () => deleteDatabase(undefined));
  await (await open(path)).close();
  writeFileSync(join(path, 'notes.txt'), 'mine');
  const warnings = [];
  const warned = (warning) => warnings.push(warning);
  process.on('warning', warned);
  after(t, () => process.off('warning', warned));
  assert.equal(await deleteDatabase(path), true);
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(readdirSync(path), ['notes.txt']);
  assert.deepEqual(warnings.map(({ code, message }) => [code, message.endsWith(': notes.txt')]), [['directory_kept', true]]);
});

test('closed handles answer closed, closing twice is fine', async (t) => {
  const db = await open(folder(t));
  const collection = await films(db);
  await db.flush();
  await db.close();
  await db.close();
  db[Symbol.dispose]();
  await refused('closed', () => collection.add({ id: 'x' }));
  await refused('closed', () => collection.get('up'));
  await refused('closed', () => collection.search({ text: 'space' }));
  await refused('closed', () => collection.searchSync({ text: 'space' }));
  await refused('closed', () => collection.page());
  await refused('closed', () => collection.seal());
  await refused('closed', () => collection.export());
  await refused('closed', () => collection.info());
  await refused('closed', () => db.create('b'));
  await refused('closed', () => db.collection('films'));
  await refused('closed', () => db.collections());
  await refused('closed', () => db.flush());
});

test('a dropped collection answers closed', async (t) => {
  const db = await memory(t);
  const collection = await films(db);
  await db.drop('films');
  await refused('closed', () => collection.get('up'));
  await refused('unknown_collection', () => db.drop('films'));
});
