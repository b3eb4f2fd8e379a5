// The key-value store in Node, and collections that are opened by what first asks something of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open } from 'kithdb';

import { after, folder, memory, refused } from './support.mjs';

test('values come back whole, however long, after reopening too', async (t) => {
  const path = folder(t);
  const first = await open(path);
  const long = 'a\u20ac\u{1f680}'.repeat(300_000);
  assert.equal(await first.kv.set('long', long), false);
  assert.equal(await first.kv.set('empty', '', { durability: 'always' }), false);
  assert.equal(await first.kv.get('long'), long);
  await first.close();
  const second = await open(path);
  after(t, () => second.close());
  assert.equal(await second.kv.get('long'), long);
  assert.equal(await second.kv.get('empty'), '');
  assert.equal(await second.kv.get('none'), null);
  assert.equal(await second.kv.set('long', 'short'), true);
  assert.equal(await second.kv.get('long'), 'short');
  assert.equal(await second.kv.delete('long'), true);
  assert.equal(await second.kv.delete('long'), false);
  assert.deepEqual(await second.kv.list(), { keys: ['empty'], next: null });
  assert.deepEqual(await second.collections(), []);
});

test('what is no key or no value is refused, and nothing of it stays', async (t) => {
  const db = await memory(t);
  for (const key of ['', 'a\0b', 'x'.repeat(1001), '\ud800', 7, null, undefined, {}]) {
    await refused('invalid_key', () => db.kv.set(key, 'v'));
    await refused('invalid_key', () => db.kv.get(key));
    await refused('invalid_key', () => db.kv.delete(key));
  }
  for (const value of ['half \udc00', 7, null, undefined, new Uint8Array(3)]) {
    await refused('invalid_request', () => db.kv.set('k', value));
  }
  await refused('too_large', () => db.kv.set('k', 'x'.repeat(2 ** 24 + 1)));
  await refused('invalid_parameter', () => db.kv.set('k', 'v', { durability: 'soon' }));
  await refused('invalid_parameter', () => db.kv.list({ limit: 0 }));
  await refused('invalid_request', () => db.kv.list({ from: 'a' }));
  assert.deepEqual(await db.kv.list(), { keys: [], next: null });
  await db.close();
  await refused('closed', () => db.kv.get('k'));
});

test('a name that is dropped and made again is another collection', async (t) => {
  const db = await memory(t);
  await db.create('a');
  const held = db.collection('a');
  await held.add({ id: 'one' });
  await db.drop('a');
  await refused('closed', () => held.info());
  await db.create('a');
  await refused('closed', () => held.searchSync({ vector: [1] }));
  assert.equal((await db.collection('a').info()).documents, 0);
});
