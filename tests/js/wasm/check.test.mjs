// The real module's check of a store in memory: each thing that is lost or damaged there is told, and nothing else is.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';

import { Instances } from '../../../js/dist/wasm/instance.js';
import { openWasm } from '../../../js/dist/wasm/open.js';
import { after } from '../support.mjs';
import { Disk, MemoryStore } from './store.mjs';

const BUILT = new URL('../../../js/dist/wasm/', import.meta.url);

let instances;
before(async () => {
  const module = await import(new URL('kithdb_wasm.js', BUILT));
  await module.default({ module_or_path: await readFile(new URL('kithdb_wasm_bg.wasm', BUILT)) });
  instances = new Instances(module, true);
});

/** A database with a collection whose documents are sealed and linked, and one more document. */
async function films(t) {
  const disk = new Disk();
  const store = new MemoryStore(disk);
  const enter = async (inhabitant) => instances.enter(inhabitant);
  const db = await openWasm(async () => ({ store, release: async () => {} }), undefined, enter);
  after(t, () => db.close());
  const collection = await db.create('films', { text: {}, m: 4 });
  const documents = Array.from({ length: 300 }, (_, i) => ({ id: `f${i}`, vector: [i, 1], metadata: { title: `film ${i}` } }));
  await collection.addMany(documents);
  await collection.graph.link({ source: 'f1', relation: 'sequel', target: 'f2' });
  await collection.seal();
  while (await collection.index());
  await collection.add({ id: 'last' });
  await db.flush();
  return { disk, db };
}

const told = ({ clean, objects }) => [clean, objects.map(({ object }) => object)];

test('a lost catalog is told, though the collections are whole', async (t) => {
  const { disk, db } = await films(t);
  assert.deepEqual(told(await db.verify()), [true, []]);
  const catalog = disk.storages.get(0);
  disk.storages.delete(0);
  const [clean, objects] = told(await db.verify());
  disk.storages.set(0, catalog);
  assert.equal(clean, false, JSON.stringify(objects));
  assert.ok(objects.some((object) => object.includes('catalog')), JSON.stringify(objects));
  assert.deepEqual(told(await db.verify()), [true, []]);
});

test('each blob, log and manifest that changed or went is told by its name', async (t) => {
  const { disk, db } = await films(t);
  const [number] = [...disk.storages.keys()].filter((number) => number > 0);
  const storage = disk.storages.get(number);
  assert.ok(storage.blobs.size >= 5, `${[...storage.blobs.keys()]}`);
  for (const [blob, { pieces }] of [...storage.blobs]) {
    for (const [, bytes] of pieces) {
      bytes[bytes.length >> 1] ^= 1;
      const [clean, objects] = told(await db.verify());
      bytes[bytes.length >> 1] ^= 1;
      assert.equal(clean, false, `blob ${blob}`);
      assert.ok(objects.some((object) => object.includes(`${blob}.`)), `blob ${blob}: ${objects}`);
    }
    const held = storage.blobs.get(blob);
    storage.blobs.delete(blob);
    assert.equal((await db.verify()).clean, false, `without blob ${blob}`);
    storage.blobs.set(blob, held);
  }
  for (const files of [storage.logs, storage.manifests]) {
    const [generation, bytes] = [...files].at(-1);
    const flipped = bytes.slice();
    flipped[30] ^= 1;
    files.set(generation, flipped);
    assert.equal((await db.verify()).clean, false, `generation ${generation}`);
    files.set(generation, bytes);
  }
  assert.deepEqual(told(await db.verify()), [true, []]);
});
