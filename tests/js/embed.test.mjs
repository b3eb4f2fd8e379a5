// A function that embeds: what it is given, what becomes of what it answers, and when it is not asked.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { openMemory, openSync } from 'kithdb';

import { after, embedderFolder, folder, memory, refused } from './support.mjs';

const require = createRequire(import.meta.url);
const { positive, textOf } = require('../../js/dist/node/engine/embed.js');

/** How often each of some words stands in a text; what was asked is kept. */
const WORDS = ['space', 'house', 'man'];
function model() {
  const asked = [];
  const embed = async (texts, how) => {
    asked.push({ texts, for: how.for, hasSignal: how.signal !== undefined });
    return texts.map((text) => WORDS.map((word) => text.split(word).length - 1 + 0.1));
  };
  return { embed, asked };
}

const metadata = (plot) => ({ plot, year: 2000 });
const vectorOf = (...counts) => Float32Array.from(counts, (count) => count + 0.1);

test('documents and queries that come without a vector get one', async (t) => {
  const { embed, asked } = model();
  const db = await openMemory({ embed });
  after(t, () => db.close());
  const films = await db.create('films', { text: { fields: ['plot'] } });
  await films.addMany([
    { id: 'moon', metadata: metadata('man in space') },
    { id: 'own', vector: [9, 9, 9], metadata: metadata('space') },
    { id: 'mute', metadata: { year: 1 } },
    { id: 'none' },
    { id: 'up', metadata: { ...metadata('house'), title: 'not of the text' } },
  ]);
  assert.deepEqual(asked, [{ texts: ['man in space', 'house'], for: 'documents', hasSignal: false }]);
  const vectors = (await films.getMany(['moon', 'own', 'mute', 'none', 'up'])).map(({ vector }) => vector);
  assert.deepEqual(vectors, [vectorOf(1, 0, 1), Float32Array.of(9, 9, 9), null, null, vectorOf(0, 1, 0)]);
  await films.upsert({ id: 'up', metadata: metadata('house house') }, { signal: new AbortController().signal });
  await films.load([{ id: 'late', metadata: metadata('late man') }]);
  assert.deepEqual(asked.slice(1), [
    { texts: ['house house'], for: 'documents', hasSignal: true },
    { texts: ['late man'], for: 'documents', hasSignal: false },
  ]);

  asked.length = 0;
  const given = { text: '+space -house', k: 1, explain: true };
  const { hits } = await films.search(given);
  assert.deepEqual(asked, [{ texts: ['space'], for: 'search', hasSignal: false }]);
  assert.ok(hits[0].explanation.words && hits[0].explanation.vector);
  assert.deepEqual(given, { text: '+space -house', k: 1, explain: true });
  const many = await films.searchMany([{ text: 'man', k: 1 }, { vector: [0, 1, 0], k: 1 }, { text: '-a', k: 1, plain: true }, { filter: 'year = 1' }]);
  assert.deepEqual(asked.slice(1), [{ texts: ['man', '-a'], for: 'search', hasSignal: false }]);
  assert.deepEqual(many.map(({ hits }) => hits[0]?.id).slice(0, 2), ['late', 'up']);
  // A text of signs or blanks alone is about nothing, and a document of such texts says nothing.
  await films.searchMany([{ text: '-house' }, { text: ' ' }, { text: '" "' }, { text: '\t', plain: true }]);
  await films.add({ id: 'blank', metadata: metadata(' \n') });
  assert.equal((await films.get('blank')).vector, null);
  assert.equal(asked.length, 2);
});

test('without words a text is looked for by its vector alone, and many texts come in parts', async (t) => {
  const { embed, asked } = model();
  const db = await memory(t);
  const notes = await db.create('notes', {}, { embed });
  await notes.addMany(Array.from({ length: 600 }, (_, i) => ({ id: `n${i}`, metadata: { a: i % 2 ? 'house' : 'space', deep: { b: 'man' } } })));
  assert.deepEqual(asked.map(({ texts }) => texts.length), [256, 256, 88]);
  assert.ok(asked[0].texts.every((text) => text === 'house' || text === 'space'));
  const { hits } = await notes.search({ text: 'house', k: 3, explain: true });
  assert.ok(hits.every(({ id, explanation }) => Number(id.slice(1)) % 2 === 1 && explanation.words === null));
  asked.length = 0;
  assert.equal((await notes.searchMany(Array.from({ length: 300 }, () => ({ text: 'man', k: 1 })))).length, 300);
  assert.deepEqual(asked.map(({ texts }) => texts.length), [256, 44]);
  // What is too much is refused before anything is embedded.
  asked.length = 0;
  const documents = Array.from({ length: 50_001 }, () => ({ id: 'a', metadata: { t: 'man' } }));
  for (const collection of [notes, db.collection('notes')]) {
    const searches = await refused('too_large', () => collection.searchMany(Array.from({ length: 1_001 }, () => ({ text: 'man' }))));
    const batch = await refused('too_large', () => collection.addMany(documents));
    assert.deepEqual([searches, batch].map(({ message, expected, got }) => ({ message, expected, got })), [
      { message: 'a batch of searches is too large: expected at most 1000, got 1001', expected: 'at most 1000', got: '1001' },
      { message: 'a batch is too large: expected at most 50000, got 50001', expected: 'at most 50000', got: '50001' },
    ]);
  }
  assert.deepEqual(asked, []);
  // Who opens it without the function does not embed; with null, neither.
  assert.deepEqual((await db.collection('notes').search({ text: 'house' })).hits, []);
  const { embed: other, asked: never } = model();
  const path = join(folder(t), 'db');
  const sync = openSync(path, { embed: other });
  after(t, () => sync.close());
  const plain = sync.createSync('plain', { text: {} }, { embed: null });
  plain.addSync({ id: 'a', metadata: { t: 'house' } });
  assert.equal((await plain.get('a')).vector, null);
  const embedded = sync.collection('plain');
  await refused('unsupported', () => embedded.addSync({ id: 'b', metadata: { t: 'house' } }));
  await refused('unsupported', () => embedded.searchSync({ text: 'house' }));
  embedded.addSync({ id: 'b', vector: [1, 2, 3] });
  assert.equal(embedded.searchSync({ vector: [1, 2, 3] }).hits[0].id, 'b');
  assert.deepEqual(never, []);
});

test('what the function does wrong is said, and nothing is stored', async (t) => {
  const db = await memory(t);
  await refused('invalid_request', () => openMemory({ embed: 'model' }));
  await refused('invalid_request', () => db.create('c', { text: {} }, { embed: {} }));
  await db.create('c', { text: {} });
  const document = { id: 'a', metadata: { t: 'text' } };
  const using = (embed) => db.collection('c', { embed });
  for (const wrong of [() => [], () => [[1], [2]], () => undefined, () => ['vector'], async () => [null]]) {
    await refused('invalid_request', () => using(wrong).add(document));
    await refused('invalid_request', () => using(wrong).search({ text: 'text' }));
  }
  await refused('invalid_vector', () => using(() => [[NaN]]).add(document));
  const broken = new Error('the model is not there');
  await assert.rejects(using(() => { throw broken; }).add(document), (error) => error === broken);
  const controller = new AbortController();
  const forever = using((_, { signal }) => {
    assert.equal(signal, controller.signal);
    controller.abort();
    return new Promise(() => {});
  });
  await refused('cancelled', () => forever.add(document, { signal: controller.signal }));
  assert.equal((await db.collection('c').info()).documents, 0);
});

test('who goes on with an array while a text is embedded changes nothing', async (t) => {
  const db = await memory(t);
  const collection = await db.create('c', { metric: 'dot' }, { embed: async (texts) => texts.map(() => [1, 1]) });
  // Beside a text, and alone: then nothing is waited for.
  for (const others of [[], [{ id: 'text', metadata: { t: 'x' } }]]) {
    const own = Float32Array.of(3, 4);
    const writing = collection.upsertMany([...others, { id: 'own', vector: own }]);
    own.fill(0);
    await writing;
    assert.deepEqual((await collection.get('own')).vector, Float32Array.of(3, 4));
  }
  // What is looked for is near `own` and not near `text`.
  for (const others of [[], [{ text: 'x' }]]) {
    const own = Float32Array.of(-1, 2);
    const request = { vector: own, k: 1 };
    const many = collection.searchMany([...others, request]);
    const one = collection.search(request);
    own.fill(-1);
    request.k = 2;
    const results = [await one, (await many).at(-1)];
    assert.deepEqual(results.map(({ hits }) => hits.map(({ id }) => id)), [['own'], ['own']]);
  }
  const request = { text: 'x', k: 1 };
  const searching = collection.search(request);
  request.k = 2;
  assert.equal((await searching).hits.length, 1);
});

test('the function of a database leaves collections alone that have an embedder', async (t) => {
  const { embed, asked } = model();
  const db = await memory(t, { embed, embedder: embedderFolder(t) });
  const own = await db.create('own', { text: {}, embedder: true });
  await own.addMany([{ id: 'a', metadata: { t: 'a a' } }, { id: 'b', metadata: { t: 'b b' } }]);
  own.addSync({ id: 'ab', metadata: { t: 'a b' } });
  assert.deepEqual((await own.getMany(['a', 'b', 'ab'])).map(({ vector }) => vector.length), [2, 2, 2]);
  await own.load([{ id: 'c', metadata: { t: 'b' } }]);
  const asking = { text: 'a', k: 1, explain: true };
  const results = [await own.search(asking), ...(await own.searchMany([asking])), own.searchSync(asking)];
  for (const { hits } of results) assert.ok(hits[0].id === 'a' && hits[0].explanation.vector);
  assert.deepEqual(asked, []);
  // One that was named for this collection is not for it.
  const named = db.collection('own', { embed });
  await refused('invalid_request', () => named.add({ id: 'd', metadata: { t: 'd' } }));
  await refused('invalid_request', () => named.addSync({ id: 'd', metadata: { t: 'd' } }));
  await refused('invalid_request', () => named.search({ text: 'a' }));
  await refused('invalid_request', () => named.searchSync({ text: 'a' }));
  // Beside it, one without an embedder.
  await (await db.create('none', { text: {} })).add({ id: 'a', metadata: { t: 'man' } });
  assert.equal(asked.length, 1);
});

test('a function may answer with the same array again and again', async (t) => {
  const one = new Float32Array(2);
  const embed = (texts) => texts.map(() => one.fill(texts.length));
  const collection = await (await memory(t, { embed })).create('c', { metric: 'dot' });
  await collection.addMany(Array.from({ length: 300 }, (_, i) => ({ id: `${i}`, metadata: { t: 'x' } })));
  const found = await collection.getMany(['0', '299']);
  assert.deepEqual(found.map(({ vector }) => vector[0]), [256, 44]);
});

test('texts and queries are read as the core reads them', () => {
  const metadata = { t: 'x', n: 1, o: { t: 'y', l: ['z'] }, 'o.t': 'w', b: '' };
  assert.equal(textOf(metadata, 'top_level'), '\nw\nx');
  assert.equal(textOf(metadata, 'all'), '\ny\nw\nx');
  assert.equal(textOf(metadata, ['o.t']), 'y\nw');
  assert.equal(textOf(metadata, null), '\nw\nx');
  const cases = {
    '': '',
    ' \n\u0085\u2003 ': '',
    // A vowel sign and a letter in a circle are alphabetic; a mark that cannot be seen parts nothing.
    'a -\u0345x -\u24d0': 'a',
    '\u0939\u093f* x': '\u0939\u093f x',
    'a\u0085-b': 'a',
    'a\ufeff-b': 'a\ufeff-b',
    ' long  neck ': ' long  neck ',
    'a +b -c d e': 'a b d e',
    '"long neck" x': 'long neck x',
    '-"long neck"': '',
    'title:neck -title:"a b"c': 'neck c',
    'gira* +girafe~ -title:a*': 'gira girafe',
    'title:neck': 'neck',
    'title: neck': 'title: neck',
    '\u201elang hals\u201c': 'lang hals',
    'half "open': 'half "open',
    'a - b + c 5-6 x*y': 'a - b + c 5-6 x*y',
    'http://a.b': 'http://a.b',
  };
  for (const [text, about] of Object.entries(cases)) assert.equal(positive(text), about, text);
});
