// Figures of a database, and a check of all its bytes, while it is used.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { open, openMemory } from 'kithdb';

import { after, folder, random, vector } from './support.mjs';

const next = random(11);
const some = (from, count) => Array.from({ length: count }, (_, i) => ({ id: `d${from + i}`, vector: vector(next, 16) }));

test('figures tell what there is', async (t) => {
  const db = await openMemory();
  after(t, () => db.close());
  assert.deepEqual(await db.stats(), []);
  const collection = await db.create('c', { metric: 'dot' });
  await collection.addMany([...some(0, 20), { id: 'mute' }]);
  await collection.delete('d0');
  const [before] = await db.stats();
  assert.deepEqual([before.documents, before.vectors, before.segments.length, before.memtable.documents], [20, 19, 0, 20]);
  await collection.seal();
  const [sealed] = await db.stats();
  assert.deepEqual([sealed.documents, sealed.vectors, sealed.memtable.documents], [20, 19, 0]);
  assert.ok(sealed.segments[0].bytes.rows > 0 && sealed.generation > before.generation);
});

test('a byte that was changed on the disk is found, and where', async (t) => {
  const path = join(folder(t), 'db');
  const db = await open(path);
  after(t, () => db.close());
  const [good, bad] = [await db.create('good'), await db.create('bad')];
  for (const collection of [good, bad]) {
    await collection.addMany(some(0, 100));
    await collection.seal();
  }
  await db.kv.set('k', 'v');
  const sound = await db.verify();
  assert.deepEqual([sound.clean, sound.summary.damaged, sound.summary.collections], [true, 0, 3]);
  // Its memory is that of the process, which can be asked itself.
  await assert.rejects(db.memory(), ({ code, hint }) => code === 'unsupported' && /process\.memoryUsage/.test(hint));

  const place = join(path, 'c', readdirSync(join(path, 'c')).sort((a, b) => a - b)[1]);
  const rows = join(place, readdirSync(place).find((name) => name.endsWith('.rows')));
  const bytes = readFileSync(rows);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(rows, bytes);
  const found = await db.verify();
  assert.equal(found.clean, false);
  const damaged = found.objects.filter(({ state }) => state === 'damaged');
  assert.deepEqual([damaged[0].collection, damaged[0].object.endsWith('.rows'), damaged[0].derived], ['bad', true, false]);
  assert.ok(damaged[0].findings.length > 0 && damaged.every(({ collection }) => collection === 'bad'));
});

test('a database is sound at every moment of its life', async (t) => {
  const db = await open(join(folder(t), 'db'));
  after(t, () => db.close());
  let isOver = false;
  const writing = (async () => {
    for (let round = 0; round < 12; round++) {
      const collection = await db.create(`c${round}`);
      for (let i = 0; i < 5; i++) {
        await collection.upsertMany(some(100 * (i % 3), 120));
        await collection[['seal', 'merge', 'vacuum', 'index', 'optimize'][(round + i) % 5]]();
      }
      await db.kv.set(`k${round}`, 'v'.repeat(round * 1000));
      if (round % 3 === 2) await db.drop(`c${round - 1}`);
    }
    isOver = true;
  })();
  let checks = 0;
  while (!isOver) {
    const verified = await db.verify();
    assert.ok(verified.clean, JSON.stringify(verified.objects));
    for (const figures of await db.stats()) assert.ok(!('error' in figures), JSON.stringify(figures));
    checks += 1;
  }
  await writing;
  assert.ok(checks > 0);
});
