// What LangChain asks of a vector store: the twelve cases of its standard tests for Python (langchain-tests,
// VectorStoreIntegrationTests), written anew, and what the base class of JavaScript adds.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Document } from '@langchain/core/documents';
import { SyntheticEmbeddings } from '@langchain/core/utils/testing';
import { openMemory } from 'kithdb';

import { KithVectorStore } from './store.mjs';

/** The same text always has the same vector, and others have others. */
const embeddings = new SyntheticEmbeddings({ vectorSize: 6 });

async function empty(t, options = {}) {
  const db = await openMemory();
  t.after(() => db.close());
  return KithVectorStore.create(embeddings, { db, name: 'documents', ...options });
}

const foo = (id) => new Document({ pageContent: 'foo', metadata: { id: 1 }, ...(id ? { id } : {}) });
const bar = (id) => new Document({ pageContent: 'bar', metadata: { id: 2 }, ...(id ? { id } : {}) });
const plain = (documents) => documents.map(({ id, pageContent, metadata }) => ({ id, pageContent, metadata }));

test('1. a store is empty at first', async (t) => {
  assert.deepEqual(await (await empty(t)).similaritySearch('foo', 1), []);
});

test('2. documents that were added are found', async (t) => {
  const store = await empty(t);
  const given = [foo(), bar()];
  const ids = await store.addDocuments(given);
  assert.deepEqual(plain(await store.similaritySearch('bar', 2)), plain([bar(ids[1]), foo(ids[0])]));
  // What was given is as it was.
  assert.deepEqual(plain(given), plain([foo(), bar()]));
});

test('3. each store is one of its own', async (t) => {
  assert.deepEqual(await (await empty(t)).similaritySearch('foo', 1), []);
});

test('4. a document that was deleted is not found', async (t) => {
  const store = await empty(t);
  assert.deepEqual(await store.addDocuments([foo(), bar()], { ids: ['1', '2'] }), ['1', '2']);
  await store.delete({ ids: ['1'] });
  assert.deepEqual(plain(await store.similaritySearch('foo', 2)), plain([bar('2')]));
});

test('5. several are deleted at once', async (t) => {
  const store = await empty(t);
  const baz = new Document({ pageContent: 'baz', metadata: { id: 3 } });
  await store.addDocuments([foo(), bar(), baz], { ids: ['1', '2', '3'] });
  await store.delete({ ids: ['1', '2'] });
  assert.deepEqual((await store.similaritySearch('foo', 1)).map(({ id }) => id), ['3']);
});

test('6. to delete what is not there is no error', async (t) => {
  const store = await empty(t);
  await store.delete({ ids: ['1'] });
  await store.delete({ ids: ['1', '2', '3'] });
});

test('7. adding by the same ids again changes nothing', async (t) => {
  const store = await empty(t);
  for (let i = 0; i < 2; i++) await store.addDocuments([foo(), bar()], { ids: ['1', '2'] });
  assert.deepEqual(plain(await store.similaritySearch('bar', 5)), plain([bar('2'), foo('1')]));
});

test('8. adding by an id that is there takes its place', async (t) => {
  const store = await empty(t);
  await store.addDocuments([foo(), bar()], { ids: ['1', '2'] });
  const changed = new Document({ pageContent: 'new foo', metadata: { id: 1, more: 'field' } });
  assert.deepEqual(await store.addDocuments([changed], { ids: ['1'] }), ['1']);
  const [found] = await store.similaritySearch('new foo', 2);
  assert.deepEqual(plain([found]), [{ id: '1', pageContent: 'new foo', metadata: { id: 1, more: 'field' } }]);
  assert.equal((await store.similaritySearch('foo', 5)).length, 2);
});

test('9. documents are got by their ids', async (t) => {
  const store = await empty(t);
  await store.addDocuments([foo(), bar()], { ids: ['1', '2'] });
  assert.deepEqual(plain(await store.getByIds(['1', '2'])), plain([foo('1'), bar('2')]));
});

test('10. ids that are not there are left out', async (t) => {
  assert.deepEqual(await (await empty(t)).getByIds(['1', '2', '3']), []);
});

test('11. documents may bring their ids, and the others are given one', async (t) => {
  const store = await empty(t);
  const ids = await store.addDocuments([foo(), bar('mine')]);
  assert.equal(ids[1], 'mine');
  assert.deepEqual(plain(await store.getByIds(ids)), plain([foo(ids[0]), bar('mine')]));
});

test('12. a document with an id that is there takes its place, and one without is added', async (t) => {
  const store = await empty(t);
  await store.addDocuments([foo('foo')]);
  const ids = await store.addDocuments([bar('foo'), bar()]);
  assert.equal(ids[0], 'foo');
  assert.deepEqual(plain(await store.getByIds(ids)), plain([bar('foo'), bar(ids[1])]));
});

test('a retriever, filters as text and as trees, deleting by a filter, and words', async (t) => {
  const store = await empty(t, { hybrid: true });
  const films = { alien: 1979, up: 2009, moon: 2009 };
  const documents = Object.entries(films).map(([id, year]) => new Document({ id, pageContent: `the film ${id}`, metadata: { year } }));
  await store.addDocuments(documents);
  const [best] = await store.asRetriever({ k: 1 }).invoke('the film moon');
  assert.equal(best.id, 'moon');
  const of = async (filter) => (await store.similaritySearch('film', 5, filter)).map(({ id }) => id).sort();
  assert.deepEqual(await of('metadata.year = 2009'), ['moon', 'up']);
  assert.deepEqual(await of({ field: 'metadata.year', op: '<', value: 2000 }), ['alien']);
  await store.delete({ filter: 'metadata.year = 2009' });
  assert.deepEqual(await of(undefined), ['alien']);
  const [[found, score]] = await store.similaritySearchWithScore('the film alien', 1);
  assert.deepEqual([found.id, score > 0], ['alien', true]);
});

test('a store is made from texts, and opened again over what is there', async (t) => {
  const db = await openMemory();
  t.after(() => db.close());
  const config = { db, name: 'texts' };
  await KithVectorStore.fromTexts(['a', 'b'], [{ n: 1 }, { n: 2 }], embeddings, config);
  const again = await KithVectorStore.create(embeddings, config);
  assert.deepEqual((await again.similaritySearch('b', 1)).map(({ metadata }) => metadata), [{ n: 2 }]);
});
