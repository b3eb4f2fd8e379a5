// Blobs are read side by side when a database is opened, in the real module over a store in memory: what is opened does not depend
// on which comes first, and an opening that fails ends after all that it had begun.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';

import { Instances } from '../../../js/dist/wasm/instance.js';
import { openWasm } from '../../../js/dist/wasm/open.js';
import { after } from '../support.mjs';
import { Disk, MemoryStore } from './store.mjs';
import { KithError, ids, refused, turn } from './support.mjs';

const BUILT = new URL('../../../js/dist/wasm/', import.meta.url);

let module;
before(async () => {
  module = await import(new URL('kithdb_wasm.js', BUILT));
  await module.default({ module_or_path: await readFile(new URL('kithdb_wasm_bg.wasm', BUILT)) });
});

/** Opens what is on a disk; `reading` may come between the store and who reads a blob, `listed` changes what the store holds. */
function opening(disk, instances, reading = (read) => read(), listed = (snapshot) => snapshot) {
  const store = new MemoryStore(disk);
  const snapshot = store.snapshot.bind(store);
  store.snapshot = async () => listed(await snapshot());
  const read = store.read.bind(store);
  store.read = (storage, blob, take) => reading(() => read(storage, blob, take), `${storage} ${blob}`);
  return openWasm(async () => ({ store, release: async () => {} }), undefined, async (inhabitant) => instances.enter(inhabitant));
}

/** A disk with two collections of several blobs. */
async function filled(instances) {
  const disk = new Disk();
  const db = await opening(disk, instances);
  for (const name of ['a', 'b']) {
    const collection = await db.create(name, { text: {}, dim: 2 });
    await collection.addMany(Array.from({ length: 50 }, (_, i) => ({ id: `${name}${i}`, vector: [i, 1], metadata: { text: `word${i % 9}` } })));
    await collection.seal();
    await collection.index();
    await collection.delete([`${name}7`]);
    await collection.seal();
  }
  await db.close();
  return disk;
}

const answers = async (db) => Promise.all(['a', 'b'].map(async (name) => {
  const collection = db.collection(name);
  return [await ids(collection), (await collection.search({ text: 'word3', vector: [3, 1] })).hits];
}));

/** A database of two collections, open; its store can be told to refuse. */
async function openFilled(t) {
  const instances = new Instances(module, true);
  const store = new MemoryStore(await filled(instances));
  const db = await openWasm(async () => ({ store, release: async () => {} }), undefined, async (inhabitant) => instances.enter(inhabitant));
  after(t, () => db.close());
  return { store, collection: db.collection('a') };
}

/** What everything fails with where there is no room. */
const full = () => new KithError({ code: 'disk_full', message: 'no space left to store a write' });

test('whichever blob comes first, the same is opened', async () => {
  const instances = new Instances(module, true);
  const disk = await filled(instances);
  const plain = await opening(disk, instances);
  const expected = await answers(plain);
  await plain.close();
  let most = 0;
  for (const waits of [(i) => i % 3, (i) => 5 - (i % 5), (i) => (i % 2) * 9]) {
    let [begun, now] = [0, 0];
    const seen = new Set();
    const db = await opening(disk, instances, async (read, name) => {
      assert.ok(!seen.has(name), `${name} was read twice`);
      seen.add(name);
      now += 1;
      most = Math.max(most, now);
      begun += 1;
      for (let i = waits(begun); i > 0; i -= 1) await turn();
      await read();
      now -= 1;
    });
    assert.ok(seen.size > 6, `${seen.size} blobs`);
    assert.deepEqual(await answers(db), expected);
    await db.close();
  }
  assert.equal(most, 2, 'side by side, and no more of them than there is room for');
});

test('an opening fails with what a read failed with, after the last read has ended, and harms no other database', async () => {
  const instances = new Instances(module, true);
  const disk = await filled(instances);
  const other = await opening(await filled(instances), instances);
  let [begun, now] = [0, 0];
  const failed = await refused('storage_failed', () => opening(disk, instances, async (read) => {
    begun += 1;
    if (begun === 2) throw new KithError({ code: 'storage_failed', message: 'no' });
    now += 1;
    for (let i = 0; i < 9; i += 1) await turn();
    await read();
    now -= 1;
  }));
  assert.equal(failed.message, 'no');
  assert.equal(now, 0, 'nothing is read any more');
  assert.equal(begun, 2, 'nothing more is begun');
  assert.equal((await ids(other.collection('a'))).length, 10);
  await other.close();
});

// A length beyond 32 bits was cut off where memory was asked for, and a piece of the blob written behind that: the instance died.
test('a blob that is listed with other bytes than there are is damaged, and harms no other database', async () => {
  const instances = new Instances(module, true);
  const disk = await filled(instances);
  const other = await opening(await filled(instances), instances);
  for (const longer of [(length) => length - 1, (length) => length + 1, (length) => length + 2 ** 32, () => 2 ** 32 + 10, () => 2 ** 52]) {
    await refused('corrupt', () => opening(disk, instances, undefined, ({ storages }) => ({
      storages: storages.map((storage) => ({ ...storage, blobs: storage.blobs.map((blob) => ({ ...blob, length: longer(blob.length) })) })),
    })));
    assert.equal((await ids(other.collection('a'))).length, 10);
  }
  await other.close();
});

// Nothing came of it, and it was asked for again: the whole database was not opened.
test('a blob of which nothing is left is damaged, and costs its collection alone', async () => {
  const instances = new Instances(module, true);
  const disk = await filled(instances);
  const number = Math.max(...disk.storages.keys());
  for (const blob of disk.of(number).blobs.values()) Object.assign(blob, { length: 0, pieces: [] });
  const db = await opening(disk, instances);
  assert.equal((await ids(db.collection('a'))).length, 10);
  await refused('unopenable', () => db.collection('b').info());
  await db.close();
});

// It stored what restoring had left at once, was refused, read everything again, and so on without end.
test('of a store that refuses everything what is stored is read, once for each write', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { store, collection } = await openFilled(t);
  store.failure = full();
  for (let tries = 1; tries <= 3; tries += 1) {
    await refused('disk_full', () => collection.add({ id: 'x' }));
    assert.equal((await ids(collection)).length, 10);
    for (let turns = 0; turns < 50; turns += 1) await turn();
    assert.equal(store.snapshots, 1 + tries);
  }
  store.failure = undefined;
  await collection.add({ id: 'x' });
  assert.equal((await collection.get('x')).id, 'x');
});

// The timer that was to make it durable ended with the life in which it was written.
test('what was written before a refusal is made durable a moment later, or when the store takes something again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { store, collection } = await openFilled(t);
  await collection.add({ id: 'before' });
  assert.equal(store.commits.at(-1).strict, false);
  store.failure = full();
  await refused('disk_full', () => collection.add({ id: 'x' }));
  const pass = async (ms) => {
    await turn();
    t.mock.timers.tick(ms);
    for (let turns = 0; turns < 20; turns += 1) await turn();
  };
  const commits = store.commits.length;
  for (const [ms, snapshots] of [[999, 2], [1, 3], [1999, 3], [1, 4]]) {
    await pass(ms);
    assert.equal(store.snapshots, snapshots, 'it is tried after one second, and after two');
  }
  store.failure = undefined;
  await pass(4000);
  assert.deepEqual(store.commits.slice(commits).map(({ strict }) => strict), [true]);
  assert.equal(store.snapshots, 4);
});

// The end of the first restart was taken for that of the second one, for which nobody waited then.
test('calls wait for a restart that follows one whose instance died at once', async (t) => {
  const { store, collection } = await openFilled(t);
  const { WasmDatabase } = module;
  const { info, takeWork } = WasmDatabase.prototype;
  let deaths = 0;
  const die = () => {
    deaths += 1;
    throw new RangeError('no memory for an array');
  };
  WasmDatabase.prototype.info = die;
  WasmDatabase.prototype.takeWork = function (...args) {
    return deaths === 1 ? die() : takeWork.apply(this, args);
  };
  try {
    await refused('internal', () => collection.info());
    WasmDatabase.prototype.info = info;
    for (let looks = 0; deaths === 1 && looks < 1000; looks += 1) await null;
    assert.equal(deaths, 2);
    store.hold();
    await turn();
    const found = collection.get('a1');
    store.go();
    assert.equal((await found).id, 'a1');
  } finally {
    Object.assign(WasmDatabase.prototype, { info, takeWork });
  }
});
