// Documents as they come, and files: how far they are, and what is there when somebody gives up.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memory, refused } from './support.mjs';

const some = (count, from = 0) => Array.from({ length: count }, (_, i) => ({ id: `d${from + i}`, vector: [i, 1], metadata: { i } }));

test('documents are stored batch after batch, from wherever they come', async (t) => {
  const db = await memory(t);
  const collection = await db.create('c', { metric: 'dot' });
  const told = [];
  const onProgress = (progress) => told.push(progress);
  assert.deepEqual(await collection.load(some(7), { batch: 3, onProgress }), { written: 7, replaced: 0 });
  assert.deepEqual(told, [3, 6, 7].map((done) => ({ done, total: 7 })));

  // One array that is filled again and again, and documents that end next to some that do not.
  const vector = new Float32Array(2);
  async function* more() {
    for (let i = 0; i < 5; i++) {
      vector.set([i, i]);
      yield i === 3 ? { id: `e${i}`, vector, ttl: '1h' } : { id: `e${i}`, vector };
    }
  }
  told.length = 0;
  assert.deepEqual(await collection.load(more(), { batch: 4, onProgress }), { written: 5, replaced: 0 });
  assert.deepEqual(told, [4, 5].map((done) => ({ done, total: null })));
  assert.deepEqual((await collection.getMany(['e0', 'e2', 'e4'])).map((found) => found.vector[0]), [0, 2, 4]);
  const ends = await Promise.all(['e2', 'e3'].map(async (id) => (await collection.versions(id))[0].valid_to !== null));
  assert.deepEqual(ends, [false, true]);

  const stream = new ReadableStream({
    start(controller) {
      for (const document of some(4, 5)) controller.enqueue(document);
      controller.close();
    },
  });
  assert.deepEqual(await collection.load(stream, { upsert: true }), { written: 4, replaced: 2 });
  assert.deepEqual(await collection.load([]), { written: 0, replaced: 0 });
  assert.equal((await collection.info()).documents, 14);
});

test('a batch of large documents is written before it is full', async (t) => {
  const collection = await (await memory(t)).create('c');
  const told = [];
  const large = Array.from({ length: 20 }, (_, i) => ({ id: `${i}`, metadata: { text: 'x'.repeat(1e6) } }));
  await collection.load(large, { onProgress: ({ done }) => told.push(done) });
  assert.deepEqual(told, [17, 20]);
});

test('a batch is measured with the vectors that its texts get', async (t) => {
  const asked = [];
  const embed = (texts) => {
    asked.push(texts.length);
    return texts.map(() => new Float32Array(65_536).fill(1));
  };
  const collection = await (await memory(t, { embed })).create('c');
  const told = [];
  const onProgress = ({ done }) => told.push(done);
  const texts = (count, name) => Array.from({ length: count }, (_, i) => ({ id: `${name}${i}`, metadata: { text: name } }));
  await collection.load(texts(100, 'a'), { onProgress });
  assert.deepEqual([told, asked], [[64, 100], [100]]);
  assert.equal((await collection.get('a99')).vector.length, 65_536);

  // Others do not count among those that wait, and stay in their order.
  const small = await (await memory(t, { embed: (texts) => texts.map(() => (asked.push(texts.length), [2, 2])) })).create('s');
  const mixed = texts(600, 'b').flatMap((text, i) => [text, { id: `v${i}`, vector: [i + 1, 1], ttl: '1h' }]);
  asked.length = told.length = 0;
  await small.load(mixed, { batch: 700, onProgress });
  assert.deepEqual([told, [...new Set(asked)]], [[700, 1_200], [256, 94, 250]]);
  const found = await small.getMany(['b0', 'v599', 'b599']);
  assert.deepEqual(found.map(({ vector }) => [...vector]), [[2, 2], [600, 1], [2, 2]]);
});

test('what was stored stays when a batch is refused or somebody gives up', async (t) => {
  const collection = await (await memory(t)).create('c');
  const count = async () => (await collection.info()).documents;
  await refused('document_exists', () => collection.load([...some(4), ...some(1)], { batch: 2 }));
  assert.equal(await count(), 4);
  await refused('invalid_request', () => collection.load([...some(2, 10), { id: 'a', vectr: [1] }], { batch: 2 }));
  assert.equal(await count(), 6);
  for (const [what, options] of [[5, {}], [some(1), { batch: 0 }], [some(1), { batch: 1.5 }], [some(1), { signal: 'no' }]]) {
    await refused('invalid_request', () => collection.load(what, options));
  }
  assert.equal(await count(), 6);

  // The source is told that nobody goes on, whoever ends it; and its own errors are its own.
  let isEnded = false;
  function* endless() {
    try {
      for (let i = 20; ; i++) yield { id: `d${i}` };
    } finally {
      isEnded = true;
    }
  }
  const controller = new AbortController();
  const onProgress = ({ done }) => done === 4 && controller.abort(new Error('enough'));
  const { cause } = await refused('cancelled', () => collection.load(endless(), { batch: 2, signal: controller.signal, onProgress }));
  assert.deepEqual([cause.message, isEnded, await count()], ['enough', true, 10]);
  const broken = new Error('no more');
  async function* breaks() {
    yield* some(3, 30);
    throw broken;
  }
  await assert.rejects(collection.load(breaks(), { batch: 2, signal: new AbortController().signal }), (error) => error === broken);
  assert.equal(await count(), 12);
});

test('a source that says nothing is not waited for by who gives up', async (t) => {
  const db = await memory(t);
  const collection = await db.create('c');
  for (const load of [(stream, options) => collection.load(stream, options), (stream, options) => db.import('copy', stream, options)]) {
    const controller = new AbortController();
    let isCancelled = false;
    const source = {
      pull() {
        controller.abort();
        return new Promise(() => {});
      },
      cancel() {
        isCancelled = true;
      },
    };
    const silent = new ReadableStream(source, { highWaterMark: 0 });
    await refused('cancelled', () => load(silent, { signal: controller.signal }));
    assert.ok(isCancelled);
  }
  await refused('unknown_collection', () => db.collection('copy'));
});

test('an import tells how much of the file is read', async (t) => {
  const db = await memory(t);
  const collection = await db.create('c');
  await collection.addMany(some(10));
  const bytes = await collection.export();
  const cut = [bytes.subarray(0, 100), bytes.subarray(100)];
  const stream = new ReadableStream({
    start(controller) {
      for (const piece of cut) controller.enqueue(piece);
      controller.close();
    },
  });
  const [ofStream, ofBlob, ofBytes] = [[], [], []];
  await db.import('a', stream, { onProgress: (progress) => ofStream.push(progress) });
  assert.deepEqual(ofStream, [100, bytes.length].map((done) => ({ done, total: null })));
  await db.import('b', new Blob(cut), { onProgress: (progress) => ofBlob.push(progress) });
  assert.deepEqual(ofBlob.at(-1), { done: bytes.length, total: bytes.length });
  await db.import('d', bytes, { onProgress: (progress) => ofBytes.push(progress) });
  assert.deepEqual(ofBytes, [{ done: bytes.length, total: bytes.length }]);
  assert.equal((await db.collection('a').info()).documents, 10);
  const texts = new ReadableStream({ start: (controller) => controller.enqueue('text') });
  await refused('invalid_request', () => db.import('e', texts));
});
