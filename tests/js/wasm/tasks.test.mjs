// Tasks of the browser engine over a whole collection: in steps between which everything else goes on, told and cancelled.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Disk } from './store.mjs';
import { page } from './support.mjs';

const some = (count) => Array.from({ length: count }, (_, i) => ({ id: `d${i}` }));

test('a relink is done in steps, and what each writes is kept before the next one', async (t) => {
  const at = page(t);
  const { db, store } = await at.open(new Disk());
  const collection = await db.create('a');
  await collection.addMany(some(40));
  at.module.stepMax = 10;
  const before = store.commits.length;
  const [told, seen] = [[], []];
  at.module.faults.set('stepTask', () => {
    told.push(collection.job());
    seen.push(store.commits.length - before);
  });
  assert.deepEqual(await collection.graph.relink(), { documents: 40, linked: 40 });
  const jobs = await Promise.all(told);
  assert.deepEqual(jobs.map(({ kind, done, total }) => [kind, done, total]), [0, 10, 20, 30, 40].map((n) => ['relink', n, 40]));
  assert.ok(seen.every((commits, i) => commits >= i), `${seen}`);
  assert.equal(await collection.job(), null);
  assert.equal(at.module.openTasks, 0);
});

test('a task that is cancelled ends between two steps, and what is told is the one that was begun first', async (t) => {
  const at = page(t);
  const db = await at.memory();
  const collection = await db.create('a');
  await collection.addMany(some(40));
  at.module.stepMax = 1;
  const relink = collection.graph.relink();
  const looking = collection.graph.components();
  const isBegun = async () => {
    for (let i = 0; i < 1000 && !((await collection.job())?.done >= 3); i++) await new Promise(setImmediate);
    return (await collection.job()).kind;
  };
  assert.equal(await isBegun(), 'relink');
  assert.equal(await collection.cancelJob(), true);
  await assert.rejects(relink, { code: 'cancelled' });
  assert.equal((await collection.job()).kind, 'components');
  assert.equal((await looking).documents, 40);
  assert.equal(await collection.cancelJob(), false);
  const cancelling = new AbortController();
  const aborted = collection.graph.components({}, { signal: cancelling.signal });
  await new Promise(setImmediate);
  cancelling.abort();
  await assert.rejects(aborted, { code: 'cancelled' });
  await assert.rejects(collection.graph.relink({ signal: AbortSignal.abort() }), { code: 'cancelled' });
  assert.equal(at.module.openTasks, 0);
});
