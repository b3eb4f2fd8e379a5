// The verbs that answer before they return do what their twins do.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { openMemorySync, openSync } from 'kithdb';

import { after, folder, refused } from './support.mjs';

test('a script writes and reads without a promise', async (t) => {
  const path = join(folder(t), 'db');
  {
    const db = openSync(path, { durability: 'os' });
    const films = db.createSync('films', { metric: 'dot', text: {} });
    assert.deepEqual(films.addSync({ id: 'a', vector: [1, 2], metadata: { t: 'red' } }), { written: 1, replaced: 0 });
    assert.deepEqual(films.addManySync([{ id: 'b' }, { id: 'c' }], { durability: 'always' }), { written: 2, replaced: 0 });
    await refused('document_exists', () => films.addSync({ id: 'a' }));
    assert.deepEqual(films.upsertSync({ id: 'b', vector: Float32Array.of(3, 4) }), { written: 1, replaced: 1 });
    assert.deepEqual(films.upsertManySync([{ id: 'c', ttl: '1h' }], { bulk: true }), { written: 1, replaced: 1 });
    assert.equal(films.deleteSync('c'), 1);
    assert.equal(films.deleteSync(['c', 'd']), 0);
    db[Symbol.dispose]();
  }
  const db = openSync(path, { read_only: true });
  after(t, () => db[Symbol.dispose]());
  const films = db.collection('films');
  assert.deepEqual(films.getSync('a'), { id: 'a', vector: Float32Array.of(1, 2), metadata: { t: 'red' } });
  assert.deepEqual(films.getManySync(['b', 'c']), await films.getMany(['b', 'c']));
  assert.deepEqual(films.pageSync({ limit: 1 }), await films.page({ limit: 1 }));
  assert.deepEqual(films.searchSync({ text: 'red' }), await films.search({ text: 'red' }));
  assert.deepEqual(films.infoSync(), await films.info());
  assert.deepEqual(db.collectionsSync().map(({ name }) => name), ['films']);
  await refused('read_only', () => films.addSync({ id: 'x' }));
  await refused('read_only', () => db.dropSync('films'));
  await refused('invalid_request', () => films.getManySync('a'));
});

test('the graph and the keys are asked without a promise, too', async (t) => {
  const db = openMemorySync();
  after(t, () => db[Symbol.dispose]());
  const { graph } = db.createSync('c', { history: 'forever' });
  const edges = [{ source: 'a', relation: 'to', target: 'b', weight: 2 }, { source: 'b', relation: 'to', target: 'c' }];
  assert.equal(graph.linkSync(edges, { durability: 'os' }), 2);
  assert.equal(graph.linkSync(edges[0]), 0);
  const asked = {
    edges: { id: 'a', direction: 'both' },
    traverse: { id: 'a', paths: ['to.to'] },
    subgraph: { ids: ['a'], depth: 2 },
    path: { source: 'a', target: 'c' },
  };
  for (const [verb, request] of Object.entries(asked)) {
    const found = graph[`${verb}Sync`](request);
    assert.deepEqual(found, await graph[verb](request), verb);
    assert.ok(JSON.stringify(found).includes('"b"'), verb);
  }
  assert.equal(graph.unlinkSync({ source: 'a', relation: 'to', target: 'b' }), 1);
  assert.deepEqual(graph.pathSync(asked.path).nodes, []);
  await refused('invalid_parameter', () => graph.edgesSync({ id: 'a', limit: 0 }));
  await refused('invalid_request', () => graph.linkSync('a'));

  assert.deepEqual([db.kv.setSync('k', 'v'), db.kv.setSync('k', 'w', { durability: 'always' })], [false, true]);
  assert.deepEqual([db.kv.getSync('k'), db.kv.getSync('none')], ['w', null]);
  assert.deepEqual(db.kv.listSync({ prefix: 'k' }), await db.kv.list({ prefix: 'k' }));
  assert.deepEqual([db.kv.deleteSync('k'), db.kv.deleteSync('k')], [true, false]);
  await refused('invalid_key', () => db.kv.getSync('\ud800'));
  await refused('invalid_key', () => db.kv.setSync('', 'v'));
});

test('what cannot be is refused before anything is returned', async (t) => {
  const db = openMemorySync();
  after(t, () => db[Symbol.dispose]());
  await refused('invalid_name', () => db.createSync('../evil'));
  const collection = db.createSync('c');
  await refused('collection_exists', () => db.createSync('c'));
  await refused('invalid_id', () => collection.addSync({ id: '' }));
  await refused('invalid_metadata', () => collection.addSync({ id: 'a', metadata: { n: NaN } }));
  db.dropSync('c');
  await refused('unknown_collection', () => db.collection('c'));
  await refused('closed', () => collection.infoSync());
  await refused('invalid_parameter', () => openMemorySync({ durability: 'soon' }));
});
