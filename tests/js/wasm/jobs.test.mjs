// Jobs of the browser engine: in steps between which everything else goes on, and by themselves when due.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextStep } from '../../../js/dist/wasm/jobs.js';
import { outOfMemory } from './fake.mjs';
import { Disk } from './store.mjs';
import { KithError, ids, page, refused, turn } from './support.mjs';

const some = (count) => Array.from({ length: count }, (_, i) => ({ id: `d${i}` }));

/** Waits until something is so, turn by turn. */
async function until(isSo) {
  for (let i = 0; i < 1000 && !isSo(); i++) await turn();
  assert.ok(isSo());
}

test('a job leaves time for other calls between its steps', async (t) => {
  const at = page(t);
  const { db } = await at.open(new Disk());
  const collection = await db.create('a');
  await collection.addMany(some(100));
  at.module.stepMax = 10;
  const events = [];
  at.module.faults.set('step', () => void events.push('step'));
  const job = collection.seal().then((done) => events.push(`sealed ${done}`));
  const message = () => setImmediate(() => events.push('other'));
  for (let i = 0; i < 3; i++) message();
  await job;
  assert.equal(events.filter((event) => event === 'step').length, 10);
  assert.ok(events.indexOf('other') < events.lastIndexOf('step'));
  assert.equal(events.at(-1), 'sealed true');
  assert.equal(await collection.merge(), false);
});

test('what a job built is there after opening again, and what ended meanwhile is not', async (t) => {
  const at = page(t);
  const disk = new Disk();
  const first = await at.open(disk);
  const collection = await first.db.create('a');
  await collection.addMany(some(20));
  await collection.seal();
  await collection.delete('d3');
  await first.db.close();
  const { db } = await at.open(disk);
  assert.deepEqual(await ids(db.collection('a')), some(20).map(({ id }) => id).filter((id) => id !== 'd3'));
});

test('jobs of one collection run one after the other', async (t) => {
  const at = page(t);
  const { db } = await at.open(new Disk());
  const collection = await db.create('a');
  await collection.addMany(some(50));
  at.module.stepMax = 5;
  const jobs = await Promise.all([collection.seal(), collection.seal(), collection.index()]);
  assert.deepEqual(jobs, [true, true, false]);
});

test('what is due after a write is done in the background', async (t) => {
  const at = page(t);
  const { db, store } = await at.open(new Disk());
  const collection = await db.create('a');
  at.module.due = ['seal'];
  await collection.add({ id: 'x' });
  const isSealed = () => store.commits.some((commit) => commit.work.some((work) => work.kind === 'flip'));
  await until(isSealed);
});

test('a writer that never stops does not keep a job from its end', async (t) => {
  const at = page(t);
  const db = await at.memory();
  const collection = await db.create('a');
  let isFinished = false;
  at.module.faults.set('finish', () => {
    isFinished = true;
  });
  at.module.stepMax = 5;
  at.module.due = ['seal'];
  let writes = 0;
  // In memory nothing of this waits for anything but the job.
  for (; !isFinished && writes < 1000; writes++) await collection.add({ id: `d${writes}` });
  assert.ok(isFinished && writes < 100, `${writes} writes`);
});

test('a job that fails by itself lets writes pass before it is tried again', async (t) => {
  const at = page(t);
  const { db } = await at.open(new Disk());
  const collection = await db.create('a');
  let tries = 0;
  at.module.faults.set('begin', () => {
    tries += 1;
    throw new Error(JSON.stringify({ code: 'corrupt', message: 'a blob is corrupt' }));
  });
  at.module.due = Array(100).fill('seal');
  for (let i = 0; i < 20; i++) {
    await collection.add({ id: `d${i}` });
    await turn();
    await turn();
  }
  assert.ok(tries > 1 && tries < 5, `${tries} tries`);
  await refused('corrupt', () => collection.seal());
});

test('closing abandons a job and tells who waits for it', async (t) => {
  const at = page(t);
  const { db, store } = await at.open(new Disk());
  const collection = await db.create('a');
  await collection.addMany(some(100));
  at.module.stepMax = 1;
  const job = refused('closed', () => collection.seal());
  await turn();
  await db.close();
  await job;
  assert.equal(at.module.abandoned, 1);
  assert.ok(!store.commits.some((commit) => commit.work.some((work) => work.kind === 'flip')));
});

test('a job whose instance dies fails, and nothing else is lost', async (t) => {
  const at = page(t);
  const { db } = await at.open(new Disk());
  const collection = await db.create('a');
  await collection.addMany(some(100));
  at.module.stepMax = 1;
  const job = collection.seal();
  await turn();
  at.module.faults.set('info', outOfMemory);
  await refused('out_of_memory', () => collection.info());
  await refused('out_of_memory', () => job);
  at.module.faults.clear();
  assert.equal((await ids(collection)).length, 100);
  at.module.stepMax = undefined;
  assert.equal(await collection.seal(), true);
});

test('a job ends with the life in which it began', async (t) => {
  const at = page(t);
  const { db, store } = await at.open(new Disk());
  const collection = await db.create('a');
  await collection.addMany(some(100));
  at.module.stepMax = 1;
  const job = collection.seal();
  await turn();
  store.failNext(new KithError({ code: 'disk_full', message: 'no space left to store a write' }));
  await refused('disk_full', () => collection.add({ id: 'x' }));
  await refused('disk_full', () => job);
  assert.equal((await ids(collection)).length, 100);
});

test('a step takes more or fewer documents by how long the last one took', () => {
  assert.equal(nextStep(64, 15), 64);
  assert.equal(nextStep(64, 30), 32);
  assert.equal(nextStep(64, 0), 256);
  assert.equal(nextStep(64, 1e6), 16);
  assert.equal(nextStep(1, 1e6), 1);
  assert.equal(nextStep(2 ** 20, 1), 2 ** 20);
});
