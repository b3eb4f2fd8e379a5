// Several callers, threads and processes at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';

import { open, openMemory } from 'kithdb';

import { after, folder, memory, random, refused, start, vector } from './support.mjs';

test('a hundred writes and searches at once all end well', async (t) => {
  const db = await open(folder(t));
  after(t, () => db.close());
  const collection = await db.create('a', { text: {}, dim: 8 });
  const next = random(7);
  const work = Array.from({ length: 100 }, (_, i) => [
    collection.add({ id: `d${i}`, vector: vector(next, 8), metadata: { text: `number ${i}`, i } }),
    collection.search({ vector: vector(next, 8), text: `number ${i}`, k: 5 }),
    collection.get(`d${i}`),
  ]);
  const done = await Promise.all(work.flat());
  assert.ok(done.filter((_, i) => i % 3 === 0).every((written) => written.written === 1));
  assert.equal((await collection.info()).documents, 100);
  for (let i = 0; i < 100; i++) {
    const { hits } = collection.searchSync({ filter: `i = ${i}`, text: 'number' });
    assert.deepEqual(hits.map((hit) => hit.id), [`d${i}`]);
  }
});

test('jobs run beside writes and searches', async (t) => {
  const db = await memory(t);
  const collection = await db.create('a', { dim: 4 });
  const next = random(8);
  const documents = Array.from({ length: 400 }, (_, i) => ({ id: `d${i}`, vector: vector(next, 4) }));
  const writes = [];
  for (let from = 0; from < 400; from += 40) {
    writes.push(collection.addMany(documents.slice(from, from + 40)));
    writes.push(collection.seal(), collection.index(), collection.search({ vector: vector(next, 4) }));
  }
  await Promise.all([...writes, collection.merge()]);
  const { hits } = collection.searchSync({ vector: documents[17].vector, k: 1, exact: true });
  assert.equal(hits[0].id, 'd17');
  assert.equal((await collection.info()).documents, 400);
});

test('an array changed after a call does not change what was asked', async (t) => {
  const db = await memory(t);
  const collection = await db.create('a', { metric: 'dot' });
  const one = new Float32Array([1, 2]);
  const many = [new Float32Array([3, 4]), [5, 6]];
  const metadata = { n: 1 };
  const stored = [
    collection.add({ id: 'one', vector: one, metadata }),
    collection.addMany(many.map((v, i) => ({ id: `many${i}`, vector: v }))),
  ];
  one.fill(9);
  many[0].fill(9);
  many[1][0] = 9;
  metadata.n = 9;
  await Promise.all(stored);
  assert.deepEqual((await collection.get('one')).vector, new Float32Array([1, 2]));
  assert.deepEqual((await collection.get('one')).metadata, { n: 1 });
  assert.deepEqual((await collection.get('many0')).vector, new Float32Array([3, 4]));
  assert.deepEqual((await collection.get('many1')).vector, new Float32Array([5, 6]));

  const query = new Float32Array([1, 0]);
  const found = collection.search({ vector: query });
  query.fill(-1);
  assert.equal((await found).hits[0].score, 5);
  const file = await collection.export();
  const imported = db.import('copy', file);
  file.fill(0);
  assert.equal((await (await imported).info()).documents, 3);
});

test('a vector that was answered is the caller\'s own', async (t) => {
  const db = await memory(t);
  const collection = await db.create('a');
  await collection.addMany([{ id: 'x', vector: [1, 0] }, { id: 'y', vector: [0, 1] }]);
  const [x, y] = await collection.getMany(['x', 'y']);
  x.vector.fill(7);
  assert.deepEqual(y.vector, new Float32Array([0, 1]));
  assert.equal(y.vector.buffer.byteLength, 8);
  assert.deepEqual((await collection.get('x')).vector, new Float32Array([1, 0]));
});

test('views into larger buffers are read where they point', async (t) => {
  const db = await memory(t);
  const collection = await db.create('a', { metric: 'dot' });
  const large = new Float32Array([9, 9, 1, 2, 9]);
  await collection.add({ id: 'x', vector: large.subarray(2, 4) });
  assert.deepEqual((await collection.get('x')).vector, new Float32Array([1, 2]));
  assert.equal(collection.searchSync({ vector: large.subarray(2, 4) }).hits[0].score, 5);
});

test('a directory is open once: in this process, in another, in a worker', async (t) => {
  const path = folder(t);
  const db = await open(path);
  const error = await refused('database_locked', () => open(path));
  assert.match(error.message, new RegExp(`process ${process.pid}$`));
  const inWorker = await fromWorker({ path });
  assert.equal(inWorker.code, 'database_locked');

  await db.close();
  const other = start('hold.mjs', path);
  await new Promise((held) => other.lines.once('line', held));
  const held = await refused('database_locked', () => open(path));
  assert.match(held.message, new RegExp(`process ${other.child.pid}$`));
  other.child.kill('SIGKILL');
  await other.ended;
  await (await open(path)).close();
});

test('kill -9 loses nothing that was acknowledged', async (t) => {
  const path = folder(t);
  const acknowledged = new Set();
  for (let round = 0; round < 4; round++) {
    const { child, ended, lines } = start('writer.mjs', path, String(round));
    let count = 0;
    lines.on('line', (line) => {
      for (const id of line.split(' ')) acknowledged.add(id);
      count += 1;
      if (count === 30 + round * 7) child.kill('SIGKILL');
    });
    assert.equal(await ended, 'SIGKILL');
  }
  const db = await open(path);
  after(t, () => db.close());
  const there = new Set();
  for await (const document of db.collection('a').scan()) {
    assert.equal(document.metadata.id, document.id, 'a document is whole');
    assert.equal(document.vector.length, 16);
    there.add(document.id);
  }
  const lost = [...acknowledged].filter((id) => !there.has(id));
  assert.deepEqual(lost, []);
  assert.ok(acknowledged.size >= 120);
});

test('workers load the addon and end at any time', async () => {
  const answers = await Promise.all([1, 2, 3].map((n) => fromWorker({ n })));
  assert.deepEqual(answers.map((answer) => answer.hits), [['d0'], ['d0'], ['d0']]);
  for (let i = 0; i < 10; i++) {
    const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { busy: true } });
    await new Promise((busy) => worker.once('message', busy));
    await new Promise((later) => setTimeout(later, i));
    await worker.terminate();
  }
  const db = await openMemory();
  await db.close();
});

function fromWorker(workerData) {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData });
  return new Promise((answer, fail) => worker.once('message', answer).once('error', fail));
}

test('a collection keeps its database open when nothing else does', async () => {
  const collection = await (async () => (await openMemory()).create('a'))();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((later) => setImmediate(later));
  }
  assert.equal((await collection.info()).documents, 0);
});
