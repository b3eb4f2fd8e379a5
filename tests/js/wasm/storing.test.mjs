// How the browser engine stores: in order, together, and what happens when the store refuses.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { after } from '../support.mjs';
import { Disk } from './store.mjs';
import { KithError, ids, page, refused, turn } from './support.mjs';

const full = () => new KithError({ code: 'disk_full', message: 'no space left to store a write' });

test('a write is answered when the store has committed it', async (t) => {
  const { db, store } = await page(t).open(new Disk());
  const collection = await db.create('a');
  store.hold();
  let isAnswered = false;
  const write = collection.add({ id: 'x' }).then(() => {
    isAnswered = true;
  });
  await turn();
  assert.equal(isAnswered, false);
  assert.deepEqual(await ids(collection), ['x'], 'it is visible at once');
  store.go();
  await write;
});

test('writes of one turn are one commit, and those that come meanwhile are the next', async (t) => {
  const { db, store } = await page(t).open(new Disk());
  const collection = await db.create('a');
  const before = store.commits.length;
  store.hold();
  const first = Array.from({ length: 50 }, (_, i) => collection.add({ id: `first${i}` }));
  await store.begun(before + 1);
  const second = Array.from({ length: 50 }, (_, i) => collection.add({ id: `second${i}` }));
  await turn();
  store.go();
  await Promise.all([...first, ...second]);
  const commits = store.commits.slice(before);
  assert.deepEqual(commits.map((commit) => commit.work.length), [50, 50]);
  assert.ok(commits[0].ticket < commits[1].ticket);
});

test('what was stored is there when it is opened again', async (t) => {
  const disk = new Disk();
  const first = await page(t).open(disk);
  const written = await first.db.create('a');
  await written.addMany([{ id: 'x', vector: [1, 2], metadata: { n: 1 } }, { id: 'y' }]);
  await written.upsert({ id: 'y', metadata: { n: 2 } });
  await first.db.close();
  const second = await page(t).open(disk);
  const [x, y] = await second.db.collection('a').getMany(['x', 'y']);
  assert.deepEqual(x, { id: 'x', vector: new Float32Array([1, 2]), metadata: { n: 1 } });
  assert.deepEqual(y.metadata, { n: 2 });
});

test('a failed commit refuses what it held, and the database goes back to what is stored', async (t) => {
  const { db, store } = await page(t).open(new Disk());
  const collection = await db.create('a');
  await collection.add({ id: 'kept' });
  store.hold();
  const flying = collection.add({ id: 'flying' });
  await store.begun(store.commits.length + 1);
  const waiting = collection.add({ id: 'waiting' });
  store.failNext(full());
  store.go();
  await refused('disk_full', () => flying);
  await refused('disk_full', () => waiting);
  assert.deepEqual(await ids(collection), ['kept']);
  await collection.add({ id: 'later' });
  assert.deepEqual(await ids(collection), ['kept', 'later']);
});

test('while it goes back, calls wait and those that cannot are told so', async (t) => {
  const { db, store } = await page(t).open(new Disk());
  const collection = await db.create('a');
  store.failNext(full());
  await refused('disk_full', () => collection.add({ id: 'x' }));
  store.hold();
  const error = await refused('restarting', () => collection.searchSync({}));
  assert.match(error.hint, /await/);
  await refused('restarting', () => db.collection('a'));
  const vector = new Float32Array([1, 2]);
  const write = collection.add({ id: 'waited', vector });
  vector.fill(9);
  store.go();
  await write;
  assert.deepEqual((await collection.get('waited')).vector, new Float32Array([1, 2]));
  assert.equal(collection.searchSync({}).hits.length, 1);
});

test('a collection that was not stored is gone with its handle, also when its number returns', async (t) => {
  const { db, store } = await page(t).open(new Disk());
  await db.create('a');
  store.hold();
  const made = db.create('b');
  const early = db.collection('b');
  store.failNext(full());
  store.go();
  await refused('disk_full', () => made);
  await db.create('c');
  await refused('closed', () => early.add({ id: 'x' }));
  assert.deepEqual(await ids(db.collection('c')), []);
});

test('a lost store closes the database and says why', async (t) => {
  const { db, store, released } = await page(t).open(new Disk());
  const collection = await db.create('a');
  store.hold();
  const write = collection.add({ id: 'x' });
  await store.begun(store.commits.length + 1);
  const lost = new KithError({ code: 'storage_lost', message: 'the browser has taken the storage away', hint: 'open it' });
  store.failNext(lost);
  store.onLost(lost);
  store.go();
  await refused('storage_lost', () => write);
  const error = await refused('closed', () => collection.get('x'));
  assert.match(error.message, /the browser has taken the storage away/);
  assert.equal(error.hint, 'open it');
  await db.close();
  assert.deepEqual([store.closed, released.count], [true, 1]);
});

test('a write that another tab has fenced off closes the database', async (t) => {
  const { db, store, released } = await page(t).open(new Disk());
  const collection = await db.create('a');
  store.failNext(new KithError({ code: 'database_locked', message: 'opened by another tab meanwhile' }));
  await refused('database_locked', () => collection.add({ id: 'x' }));
  await refused('closed', () => collection.add({ id: 'y' }));
  await turn();
  assert.deepEqual([store.closed, released.count], [true, 1]);
});

test('a relaxed write is made durable within a second', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { db, store } = await page(t).open(new Disk());
  const collection = await db.create('a');
  const before = store.commits.length;
  const strict = () => store.commits.slice(before).map((commit) => commit.strict);
  await collection.add({ id: 'x' });
  await collection.add({ id: 'y' });
  assert.deepEqual(strict(), [false, false]);
  t.mock.timers.tick(999);
  await turn();
  assert.deepEqual(strict(), [false, false, true]);
  assert.deepEqual(store.commits.at(-1).work.map((work) => work.kind), ['sync']);
  t.mock.timers.tick(5000);
  await turn();
  assert.equal(strict().length, 3, 'nothing is left to be made durable');
  await collection.add({ id: 'z' }, { durability: 'always' });
  t.mock.timers.tick(5000);
  await turn();
  assert.deepEqual(strict(), [false, false, true, true]);
});

test('a page that is hidden makes everything durable at once', async (t) => {
  const document = new EventTarget();
  document.visibilityState = 'visible';
  globalThis.document = document;
  after(t, () => {
    delete globalThis.document;
  });
  const { db, store } = await page(t).open(new Disk());
  const collection = await db.create('a');
  await collection.add({ id: 'x' });
  const before = store.commits.length;
  document.visibilityState = 'hidden';
  document.dispatchEvent(new Event('visibilitychange'));
  await turn();
  assert.deepEqual(store.commits.slice(before).map((commit) => commit.strict), [true]);
  await collection.add({ id: 'y' });
  await turn();
  assert.deepEqual(store.commits.slice(before).map((commit) => commit.strict), [true, false, true]);
});

test('flush and close make everything durable; closing twice is fine', async (t) => {
  const { db, store, released } = await page(t).open(new Disk());
  const collection = await db.create('a');
  await collection.add({ id: 'x' });
  await db.flush();
  assert.equal(store.commits.at(-1).strict, true);
  const pending = collection.add({ id: 'y' });
  const closing = db.close();
  await refused('closed', () => collection.add({ id: 'z' }));
  await pending;
  await closing;
  await db.close();
  db[Symbol.dispose]();
  assert.equal(store.commits.at(-1).strict, true);
  assert.deepEqual([store.closed, released.count], [true, 1]);
  await refused('closed', () => collection.get('x'));
  await refused('closed', () => collection.searchSync({}));
  await refused('closed', () => db.flush());
  await refused('closed', () => db.collection('a'));
});

test('closing while it goes back to what is stored waits for that', async (t) => {
  const at = page(t);
  const { db, store, released } = await at.open(new Disk());
  const collection = await db.create('a');
  store.failNext(full());
  await refused('disk_full', () => collection.add({ id: 'x' }));
  store.hold();
  const waiting = refused('closed', () => collection.add({ id: 'y' }));
  const closing = db.close();
  store.go();
  await closing;
  await waiting;
  assert.deepEqual([store.closed, released.count, at.module.living], [true, 1, 0]);
  assert.equal(store.commits.at(-1).strict, true);
});

test('an open that fails lets go of everything', async (t) => {
  const { module, opening: start } = page(t);
  module.faults.set('restore', () => {
    throw new Error(JSON.stringify({ code: 'corrupt', message: 'the catalog is corrupt' }));
  });
  const { store, released, opening } = start(new Disk());
  await refused('corrupt', () => opening);
  assert.deepEqual([store.closed, released.count], [true, 1]);
});
