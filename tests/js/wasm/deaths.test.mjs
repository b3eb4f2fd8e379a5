// What happens when the wasm instance dies: whoever waits is told, and the next calls find what was stored.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { after } from '../support.mjs';
import { outOfMemory } from './fake.mjs';
import { Disk } from './store.mjs';
import { KithError, ids, page, refused, turn } from './support.mjs';

/** A collection whose documents are in a blob of several pieces. */
async function sealed(db, count) {
  const collection = await db.create('a');
  await collection.addMany(Array.from({ length: count }, (_, i) => ({ id: `d${i}`, metadata: { text: 'some text' } })));
  assert.equal(await collection.seal(), true);
}

test('an instance that ran out of memory is replaced, and the stored documents are there', async (t) => {
  const at = page(t);
  const { db, store } = await at.open(new Disk());
  const collection = await db.create('a');
  await collection.add({ id: 'kept' });
  store.hold();
  const flying = collection.add({ id: 'flying' });
  await store.begun(store.commits.length + 1);
  const waiting = collection.add({ id: 'waiting' });
  at.module.faults.set('search', outOfMemory);
  const error = await refused('out_of_memory', () => collection.search({}));
  assert.ok(error.hint);
  await refused('out_of_memory', () => waiting);
  at.module.faults.clear();
  store.go();
  await flying;
  assert.deepEqual(await ids(collection), ['kept', 'flying'], 'what was being committed is kept, and answered so');
  assert.equal(at.module.instances, 2);
  await collection.add({ id: 'later' });
  assert.equal(store.closed, false);
});

test('a panic is an internal error with its text', async (t) => {
  const at = page(t);
  const { db } = await at.open(new Disk());
  const collection = await db.create('a');
  for (const thrown of [new Error('panicked at core/src/lib.rs:1'), new RangeError('Maximum call stack'), 'a string']) {
    at.module.faults.set('get', () => {
      throw thrown;
    });
    const error = await refused('internal', () => collection.get('x'));
    assert.ok(error.message.includes(thrown.message ?? thrown));
    at.module.faults.clear();
    assert.deepEqual(await ids(collection), []);
  }
  assert.equal(at.module.instances, 4);
});

test('a refused call is not a death', async (t) => {
  const at = page(t);
  const { db } = await at.open(new Disk());
  await refused('unknown_collection', () => db.collection('none'));
  await db.create('a');
  await refused('collection_exists', () => db.create('a'));
  assert.equal(at.module.instances, 1);
});

test('all databases of a page survive the death of their instance', async (t) => {
  const at = page(t);
  const [one, two] = [await at.open(new Disk()), await at.open(new Disk())];
  const [a, b] = [await one.db.create('a'), await two.db.create('b')];
  await Promise.all([a.add({ id: 'x' }), b.add({ id: 'y' })]);
  at.module.faults.set('info', outOfMemory);
  await refused('out_of_memory', () => a.info());
  at.module.faults.clear();
  assert.deepEqual([await ids(a), await ids(b)], [['x'], ['y']]);
  assert.equal(at.module.instances, 2);
});

test('a database does not pay for the deaths that another caused', async (t) => {
  const at = page(t);
  const [one, two] = [await at.open(new Disk()), await at.open(new Disk())];
  const [a, b] = [await one.db.create('a'), await two.db.create('b')];
  at.module.faults.set('info', outOfMemory);
  for (let i = 0; i < 4; i++) await a.info().catch(() => {});
  await refused('closed', () => a.get('x'));
  assert.deepEqual(await ids(b), []);
});

test('a database that is being opened when another kills the instance is opened in the next one', async (t) => {
  const at = page(t);
  const disk = new Disk();
  const first = await at.open(disk);
  await sealed(first.db, 9);
  await first.db.close();
  const other = await at.open(new Disk());
  const collection = await other.db.create('b');
  at.module.faults.set('info', outOfMemory);
  const { opening } = at.opening(disk);
  const kill = () => refused('out_of_memory', () => collection.info());
  const killed = [];
  const before = at.module.instances;
  let provided = 0;
  at.module.faults.set('provide', () => {
    provided += 1;
    if (provided === 1) killed.push(kill());
  });
  // And at the last moment: everything was brought, and nobody was told yet.
  at.module.faults.set('missing', () => {
    if (at.module.instances === before + 1 && provided > 1) queueMicrotask(() => killed.push(kill()));
  });
  const db = await opening;
  after(t, () => db.close());
  await Promise.all(killed);
  assert.equal(at.module.instances, before + 2);
  assert.equal((await ids(db.collection('a'))).length, 9);
  assert.deepEqual(await ids(collection), []);
});

test('three deaths in a row close the database', async (t) => {
  const at = page(t);
  const { db, store, released } = await at.open(new Disk());
  const collection = await db.create('a');
  at.module.faults.set('info', outOfMemory);
  for (let i = 0; i < 2; i++) await refused('out_of_memory', () => collection.info());
  assert.deepEqual(await ids(collection), [], 'a call that succeeds breaks the row');
  for (let i = 0; i < 3; i++) await refused('out_of_memory', () => collection.info());
  const error = await refused('closed', () => collection.search({}));
  assert.match(error.message, /out of memory/);
  await turn();
  assert.deepEqual([store.closed, released.count], [true, 1]);
  await db.close();
});

test('a database that cannot be restored stays closed', async (t) => {
  const at = page(t);
  const disk = new Disk();
  const { db, store } = await at.open(disk);
  const collection = await db.create('a');
  at.module.faults.set('restore', outOfMemory);
  at.module.faults.set('info', outOfMemory);
  await refused('out_of_memory', () => collection.info());
  const error = await refused('closed', () => collection.info());
  assert.match(error.message, /out of memory/);
  assert.equal(store.closed, true);
  const { store: another, opening } = at.opening(disk);
  await refused('out_of_memory', () => opening);
  assert.equal(another.closed, true);
});

test('an instance that dies while blobs are brought to it is tried again', async (t) => {
  const at = page(t);
  const disk = new Disk();
  const first = await at.open(disk);
  await sealed(first.db, 9);
  await first.db.close();
  let calls = 0;
  at.module.faults.set('provide', () => {
    calls += 1;
    if (calls === 3) outOfMemory();
  });
  const { db } = await at.open(disk);
  assert.equal((await ids(db.collection('a'))).length, 9);
  assert.ok(calls > 3);
});

test('a database in memory is gone with its instance, and says so', async (t) => {
  const at = page(t);
  const db = await at.memory();
  const collection = await db.create('a');
  await collection.add({ id: 'x' });
  at.module.faults.set('search', outOfMemory);
  await refused('out_of_memory', () => collection.search({}));
  at.module.faults.clear();
  const error = await refused('closed', () => collection.searchSync({}));
  assert.match(error.message, /out of memory/);
  await refused('closed', () => db.create('b'));
  const other = await at.memory();
  await other.create('a');
});

test('what a dead instance has taken goes back, also when nobody opens anything', async (t) => {
  const at = page(t);
  const db = await at.memory();
  const collection = await db.create('a');
  at.module.faults.set('info', outOfMemory);
  await refused('out_of_memory', () => collection.info());
  await turn();
  assert.equal(at.module.instances, 2);
  const other = await at.memory();
  assert.equal(at.module.instances, 2);
  await other.close();
});

// `close` answered at once, and the lock was let go of a moment later: the next opening found it locked.
test('a database that has closed itself has let go of everything when its close resolves', async (t) => {
  const at = page(t);
  const { db, store, released } = await at.open(new Disk());
  const collection = await db.create('a');
  store.failure = new KithError({ code: 'storage_lost', message: 'the storage has gone' });
  await refused('storage_lost', () => collection.add({ id: 'x' }));
  await db.close();
  assert.deepEqual([store.closed, released.count], [true, 1]);
});

test('an instance that dies while storing refuses what it had not stored', async (t) => {
  const at = page(t);
  const { db } = await at.open(new Disk());
  const collection = await db.create('a');
  at.module.faults.set('takeWork', outOfMemory);
  await refused('out_of_memory', () => collection.add({ id: 'x' }));
  at.module.faults.clear();
  assert.deepEqual(await ids(collection), []);
  at.module.faults.set('kept', outOfMemory);
  await collection.add({ id: 'y' });
  at.module.faults.clear();
  assert.deepEqual(await ids(collection), ['y'], 'it was stored before the instance died');
});

test('the last database to leave an instance gives its memory back', async (t) => {
  const at = page(t);
  const [one, two] = [await at.memory(), await at.open(new Disk())];
  await one.close();
  assert.deepEqual([at.module.instances, at.module.living], [1, 1]);
  await two.db.close();
  assert.deepEqual([at.module.instances, at.module.living], [2, 0]);
});

test('an open that fails takes nothing with it from an instance that others use', async (t) => {
  const at = page(t);
  const disk = new Disk();
  const first = await at.open(disk);
  await sealed(first.db, 9);
  await first.db.close();
  await at.open(new Disk());
  const { store, opening } = at.opening(disk);
  store.read = () => Promise.reject(new KithError({ code: 'io_failed', message: 'the browser failed to read a blob' }));
  await refused('io_failed', () => opening);
  assert.equal(at.module.living, 1);
});

test('closing makes durable what was kept, though the instance dies of it', async (t) => {
  const at = page(t);
  const { db, store } = await at.open(new Disk());
  const collection = await db.create('a');
  await collection.add({ id: 'x' });
  assert.equal(store.commits.at(-1).strict, false);
  at.module.faults.set('sync', outOfMemory);
  await db.close();
  assert.deepEqual([store.commits.at(-1).strict, store.closed], [true, true]);
});

test('a module that cannot make a second instance says so', async (t) => {
  const at = page(t);
  const { db } = await at.open(new Disk());
  const collection = await db.create('a');
  const reset = at.module.__wbg_reset_state;
  delete at.module.__wbg_reset_state;
  after(t, () => {
    at.module.__wbg_reset_state = reset;
  });
  at.module.faults.set('info', outOfMemory);
  await refused('out_of_memory', () => collection.info());
  const error = await refused('closed', () => collection.info());
  assert.match(error.message, /could not be loaded/);
});
