// The real module in an instance whose memory has an end: running out of it costs the write that did, and nothing else.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';

import { Instances } from '../../../js/dist/wasm/instance.js';
import { openWasm } from '../../../js/dist/wasm/open.js';
import { after } from '../support.mjs';
import { limited } from './limited.mjs';
import { Disk, MemoryStore } from './store.mjs';
import { refused } from './support.mjs';

const BUILT = new URL('../../../js/dist/wasm/', import.meta.url);
const PAGE = 65536;
/** What the module may take: some of it is its own data and stack. */
const MEMORY = 12 * 2 ** 20;

let instances;
before(async () => {
  const module = await import(new URL('kithdb_wasm.js', BUILT));
  const bytes = await readFile(new URL('kithdb_wasm_bg.wasm', BUILT));
  await module.default({ module_or_path: limited(bytes, MEMORY / PAGE) });
  instances = new Instances(module, true);
});

const enter = async (inhabitant) => instances.enter(inhabitant);

async function open(t, disk) {
  const store = new MemoryStore(disk);
  const db = await openWasm(async () => ({ store, release: async () => {} }), undefined, enter);
  after(t, () => db.close());
  return db;
}

/** Documents of about a kilobyte. */
const some = (from, count) =>
  Array.from({ length: count }, (_, i) => ({ id: `d${from + i}`, metadata: { text: `${from + i} `.repeat(150).slice(0, 1000) } }));

/** Adds documents until the instance has no more memory; how many there are then. */
async function fill(collection) {
  for (let count = 0; count < 100_000; count += 500) {
    try {
      await collection.addMany(some(count, 500));
    } catch (error) {
      assert.equal(error.code, 'out_of_memory', error.stack);
      return count;
    }
  }
  return assert.fail('the memory has no end');
}

test('a stored database comes back after its instance ran out of memory', async (t) => {
  const disk = new Disk();
  const db = await open(t, disk);
  const small = await db.create('small', { text: {} });
  await small.add({ id: 'x', vector: [1, 2], metadata: { text: 'a small one' } });
  const collection = await db.create('large', { text: {} });
  // One batch that cannot be held.
  await refused('out_of_memory', () => collection.addMany(some(0, 15_000)));
  assert.equal((await collection.info()).documents, 0);
  assert.deepEqual((await small.search({ text: 'small' })).hits.map(({ id }) => id), ['x']);
  await collection.addMany(some(0, 100));
  await db.close();
  const again = await open(t, disk);
  assert.equal((await again.collection('large').info()).documents, 100);
  assert.deepEqual((await again.collection('small').get('x')).vector, new Float32Array([1, 2]));
});

test('a database in memory that grew too large says so for ever, and leaves room for the next', async (t) => {
  const grown = async () => {
    const db = await openWasm(undefined, undefined, enter);
    after(t, () => db.close());
    const collection = await db.create('a');
    const count = await fill(collection);
    const error = await refused('closed', () => collection.get('d0'));
    assert.match(error.message, /out of memory/);
    return count;
  };
  const first = await grown();
  assert.ok(first > 1000);
  assert.equal(await grown(), first, 'a new instance has all of the memory again');
});
