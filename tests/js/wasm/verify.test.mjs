// A check of what a store holds: each blob of each storage is brought once, whatever is stored meanwhile.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Disk } from './store.mjs';
import { page } from './support.mjs';

const blob = (storage, number, total, length = total) => ({ kind: 'blob', storage, blob: number, type: 1, offset: 0, total, bytes: new Uint8Array(length) });
const flip = (storage, generation) => ({ kind: 'flip', storage, generation, bytes: Uint8Array.of(generation) });

/** A disk with two collections of two blobs each, beside what the database writes for itself. */
function collections() {
  const disk = new Disk();
  for (const storage of [7, 8]) for (const work of [blob(storage, 1, 10), blob(storage, 2, 20), flip(storage, 1)]) disk.apply(work);
  return disk;
}

test('every blob of every collection is brought once, and it is told how far that is', async (t) => {
  const at = page(t);
  const disk = collections();
  const { db } = await at.open(disk);
  const told = [];
  assert.deepEqual(await db.verify({ onProgress: ({ done, total }) => told.push([done, total]) }), { 0: 1, 7: [10, 20], 8: [10, 20] });
  assert.ok(told.length >= 8 && told.every(([, total]) => total === told[0][1]), JSON.stringify(told));
  assert.deepEqual(told.at(-1), [4, 7]);
  // Half of a blob went, another has more than its record says.
  disk.of(8).blobs.get(1).pieces = [[0, new Uint8Array(5)]];
  disk.of(7).blobs.get(2).pieces.push([20, new Uint8Array(5)]);
  const [one, another] = await Promise.all([db.verify(), db.verify()]);
  assert.deepEqual([one[7], one[8], another], [[10, 'damaged'], ['damaged', 20], one]);
  assert.equal(at.module.living, 1);
  assert.deepEqual(await (await at.memory()).verify(), { 0: 0 });
});

test('what gets another manifest meanwhile is looked at anew, what is dropped is passed over', async (t) => {
  const at = page(t);
  const disk = collections();
  const { db } = await at.open(disk);
  const meanwhile = [
    () => [blob(7, 3, 30), flip(7, 2), { kind: 'removeBlob', storage: 7, blob: 1 }],
    () => {},
    () => {},
    () => {},
    () => [{ kind: 'removeStorage', storage: 8 }],
  ];
  at.module.faults.set('enter', () => at.module.faults.set('step', () => meanwhile.shift()?.()?.forEach((work) => disk.apply(work))));
  assert.deepEqual(await db.verify(), { 0: 1, 7: [20, 30] });
});

test('a check that is given up ends between two steps, and one whose database is closed says so', async (t) => {
  const at = page(t);
  const { db } = await at.open(collections());
  const giving = new AbortController();
  await assert.rejects(db.verify({ signal: giving.signal, onProgress: () => giving.abort() }), { code: 'cancelled' });
  assert.deepEqual((await db.verify())[7], [10, 20]);
  assert.equal(at.module.living, 1);
  let closing;
  const closed = db.verify({ onProgress: () => (closing ??= db.close()) });
  await assert.rejects(closed, { code: 'closed' });
  await closing;
});

test('what onProgress throws ends the check, and the next one finds all', async (t) => {
  const at = page(t);
  const { db } = await at.open(collections());
  const own = new Error('enough');
  await assert.rejects(db.verify({ onProgress: () => { throw own; } }), own);
  assert.deepEqual((await db.verify())[8], [10, 20]);
  assert.equal(at.module.living, 1);
});
