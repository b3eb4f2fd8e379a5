// The page's pure functions, which need no browser: filters that a click writes, addresses, what a card shows,
// calls to a Worker, copying a collection.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerCalls, makeCaller } from '../../web/calls.js';
import { KithError, reportOf } from '../../web/errors.js';
import { cutAtByte, demands, equals, toggle } from '../../web/filters.js';
import { addressOf, placeOf } from '../../web/place.js';
import { describe, markMatches, ordinal } from '../../web/present.js';
import { COPY } from '../../web/settings.js';
import { formatHash, initialState, parseHash } from '../../web/state.js';
import { configOf, copyCollection, indexCollection } from '../../web/tab-copy.js';

test('a clicked fact becomes a comparison, quoted where the filter language asks for it', () => {
  assert.equal(equals('part_of_speech', 'noun'), "part_of_speech = 'noun'");
  assert.equal(equals('author', "O'Neill"), "author = 'O''Neill'");
  assert.equal(equals('path', 'C:\\temp'), "path = 'C:\\\\temp'");
  assert.equal(equals('year', 1990), 'year = 1990');
  assert.equal(equals('in stock', true), '`in stock` = true');
  assert.equal(equals('in', 'a'), "`in` = 'a'", 'a keyword is no bare name');
});

test('a clicked fact is added once and the next click takes it away again', () => {
  const noun = "part = 'noun'";
  assert.equal(toggle('', noun), noun);
  assert.equal(toggle('year > 1990', noun), `year > 1990 AND ${noun}`);
  assert.equal(toggle(`year > 1990 AND ${noun}`, noun), 'year > 1990');
  assert.equal(toggle(`a = 'x AND y' and ${noun}`, noun), "a = 'x AND y'");
  assert.equal(toggle('a = 1 OR b = 2', noun), `(a = 1 OR b = 2) AND ${noun}`);
  assert.equal(toggle('(a = 1 OR b = 2)', noun), `(a = 1 OR b = 2) AND ${noun}`);
  assert.ok(demands(`a = 1 AND ${noun}`, noun));
  assert.ok(!demands(`a = 1 OR ${noun}`, noun), 'an alternative is not demanded');
});

test('the place of an error is counted in bytes and shown at a character', () => {
  assert.deepEqual(cutAtByte('n=5 AND', 7), { before: 'n=5 AND', at: '', after: '' });
  assert.deepEqual(cutAtByte('t=\u201cx\u201d', 2), { before: 't=', at: '\u201c', after: 'x\u201d' });
  assert.deepEqual(cutAtByte('\u00e9\u{1f600}=)', 7), { before: '\u00e9\u{1f600}=', at: ')', after: '' });
  assert.deepEqual(cutAtByte('abc', 99), { before: 'abc', at: '', after: '' });
});

test('an address gives its state back and nonsense in it does no harm', () => {
  const state = { collection: 'notes', text: 'a & b #c', filter: "x = '50 %'", vector: '[1,2]', alpha: 0.7, k: 20 };
  assert.deepEqual(parseHash(formatHash(state)), state);
  assert.equal(formatHash(initialState()), '#');
  assert.deepEqual(parseHash('#alpha=much&k=-3&zzz=1'), { ...initialState(), k: 1 });
  assert.equal(parseHash('#alpha=7').alpha, 1);
});

test('a document shows a title, a text and short facts, whatever its metadata is', () => {
  const metadata = { gloss: 'tallest living quadruped', lemmas: ['giraffe', 'camelopard'], part: 'noun', deep: { a: 1 }, tags: ['x', 2] };
  const shown = describe({ id: 'n1', metadata }, ['gloss']);
  assert.equal(shown.title, 'giraffe');
  assert.deepEqual(shown.others, ['camelopard']);
  assert.deepEqual(shown.text, { field: 'gloss', value: 'tallest living quadruped' });
  assert.deepEqual(shown.chips, [{ field: 'part', value: 'noun' }, { field: 'tags', value: 'x' }, { field: 'tags', value: 2 }]);
  const bare = describe({ id: 'n2', metadata: {} }, null);
  assert.deepEqual([bare.title, bare.isIdTitle, bare.text, bare.chips], ['n2', true, undefined, []]);
  const long = describe({ id: 'n3', metadata: { remark: 'long '.repeat(20), note: 'short' } }, 'top_level');
  assert.equal(long.text.field, 'remark');
});

test('words are marked when they are forms of a stem, and their text stays whole', () => {
  const marked = (text, stems) => markMatches(text, stems).filter((piece) => piece.isMatch).map((piece) => piece.text);
  assert.deepEqual(marked('Measuring instruments measure; a measurement', ['measur', 'instrument']),
    ['Measuring', 'instruments', 'measure', 'measurement']);
  assert.deepEqual(marked('happy happiness, running, runs, lives, living', ['happi', 'run', 'live']),
    ['happy', 'happiness', 'running', 'runs', 'lives', 'living']);
  assert.deepEqual(marked('a liver, a runner, the tallest, necklaces', ['live', 'run', 'tall', 'neck']), []);
  assert.equal(markMatches('the neck, again', ['neck']).map((piece) => piece.text).join(''), 'the neck, again');
  assert.deepEqual(markMatches('nothing asked', []), [{ text: 'nothing asked', isMatch: false }]);
});

test('places are said as people say them', () => {
  assert.deepEqual([1, 2, 3, 4, 11, 22].map(ordinal), ['1st', '2nd', '3rd', '4th', '11th', '22nd']);
});

test('an address names the place, and only under /ui/', () => {
  assert.equal(placeOf('?in=tab'), 'tab');
  assert.deepEqual(['', '?in=server', '?in=', '?tab'].map(placeOf), Array(4).fill('server'));
  assert.equal(addressOf('tab', '#q=a'), '/ui/?in=tab#q=a');
  assert.equal(addressOf('server', ''), '/ui/');
});

test('an error crosses to another thread with all that it says', () => {
  const report = { code: 'invalid_filter', message: 'no', expected: 'a', got: 'b', position: 3, hint: 'c', filter: 'd' };
  assert.deepEqual(reportOf(new KithError(report)), report);
  assert.deepEqual(reportOf(new KithError({ code: 'x', message: 'y' })), { code: 'x', message: 'y' });
  assert.equal(reportOf(new DOMException('full', 'QuotaExceededError')).code, 'disk_full');
  assert.equal(reportOf(new DOMException('stop', 'AbortError')).code, 'cancelled');
  assert.deepEqual(reportOf(new TypeError('odd')), { code: 'internal', message: 'odd' });
});

/** A caller and what answers it, at the two ends of a channel. */
async function withCalls(methods, check) {
  const { port1, port2 } = new MessageChannel();
  try {
    answerCalls(port2, methods);
    await check(makeCaller(port1));
  } finally {
    port1.close();
    port2.close();
  }
}

test('calls are answered each on its own, with progress, values and errors', () => withCalls({
  late: (text) => new Promise((done) => { setTimeout(() => done(`late ${text}`), 30); }),
  count(most, { onProgress }) {
    for (let i = 1; i <= most; i++) onProgress(i);
    return 'counted';
  },
  fail() { throw new KithError({ code: 'disk_full', message: 'no room', hint: 'make some' }); },
}, async ({ call }) => {
  const seen = [];
  const late = call('late', 'one');
  assert.equal(await call('count', 3, { onProgress: (i) => seen.push(i) }), 'counted');
  assert.deepEqual(seen, [1, 2, 3]);
  await assert.rejects(call('fail'), { name: 'KithError', code: 'disk_full', message: 'no room', hint: 'make some' });
  await assert.rejects(call('nothing'), { code: 'internal' });
  assert.equal(await late, 'late one');
}));

test('a call that is given up is dropped at once, and a patient one waits until all is cleared up', () => withCalls({
  forever: (_, { signal }) => new Promise((_done, fail) => {
    signal.addEventListener('abort', () => setTimeout(() => fail(signal.reason), 20));
  }),
}, async ({ call, failAll }) => {
  const [hasty, patient] = [new AbortController(), new AbortController()];
  const dropped = call('forever', null, { signal: hasty.signal });
  hasty.abort();
  await assert.rejects(dropped, { name: 'AbortError' });
  const cleared = call('forever', null, { signal: patient.signal, isPatient: true });
  patient.abort();
  await assert.rejects(cleared, { name: 'KithError', code: 'cancelled' });
  await assert.rejects(call('forever', null, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const lost = call('forever');
  failAll({ code: 'engine_failed', message: 'gone' });
  await assert.rejects(lost, { code: 'engine_failed' });
}));

const INFO = {
  name: 'notes', metric: 'dot', dim: 3, language: 'english', fields: ['title'], k1: 1.2, b: 0.75,
  embedder: 'e', m: 8, ef_construction: 50, documents: 25_000, memtable: 0, segments: 2, indexed: 2, ended: 0,
};

/** A server with numbered documents, of which a filter `n` lets through those that n divides; each is linked to the next two. */
function fakeServer(total, seen) {
  return {
    collection: () => ({
      async search({ k, offset, filter = '1', with_vector: withVector }) {
        seen.push({ k, offset, filter });
        const hits = [];
        for (let i = Number(filter) * (offset + 1); i <= total && hits.length < k; i += Number(filter)) {
          hits.push({ id: `d${i}`, score: 1, metadata: { i }, ...(withVector && { vector: [i, 0, 0] }) });
        }
        return { hits, warnings: [] };
      },
      async subgraph({ ids, depth, limit }) {
        assert.deepEqual([depth, limit], [1, COPY.aroundMax]);
        const next = (id, step) => ({ source: id, relation: 'next', target: `d${Number(id.slice(1)) + step}` });
        const edges = ids.flatMap((id) => [1, 2].map((step) => ({ ...next(id, step), weight: step, created: '', ended: null })));
        // As if two documents of a thousand could not be told at once.
        return ids.length > COPY.roots / 2 ? { edges: [], truncated: true } : { edges, truncated: false };
      },
    }),
  };
}

/** A database that remembers what is done to it; `failAt`: how many documents it takes. */
function fakeDatabase({ failAt = Infinity, names = [] } = {}) {
  const done = [];
  const documents = new Map();
  const edges = [];
  const figures = { memtable: 0, segments: 0, indexed: 0 };
  const collection = {
    async upsertMany(batch) {
      if (documents.size >= failAt) throw new KithError({ code: 'disk_full', message: 'no room' });
      for (const document of batch) documents.set(document.id, document);
      figures.memtable = documents.size;
    },
    graph: { link: async (batch) => edges.push(...batch) },
    async seal() { Object.assign(figures, { memtable: 0, segments: 2 }); },
    async index() { return ++figures.indexed > 0; },
    info: async () => ({ ...INFO, ...figures, documents: documents.size }),
  };
  return {
    done,
    documents,
    edges,
    collections: async () => names.map((name) => ({ name })),
    async create(name, config) {
      done.push(['create', name, config]);
      return collection;
    },
    async drop(name) { done.push(['drop', name]); },
    async flush() { done.push(['flush']); },
  };
}

async function copyPart(database, { filters = [], most = 20_000, info = INFO, total = 25_000, signal } = {}) {
  const [asked, phases] = [[], []];
  const choice = { info, isWhole: false, filters, most };
  const onProgress = ({ phase, done, total: all }) => phases.push(`${phase} ${done}/${all}`);
  signal ??= new AbortController().signal;
  const work = { server: fakeServer(total, asked), database, choice, onProgress, signal };
  return { info: await copyCollection(work), asked, phases };
}

test('a part is fetched in pages, each filter to its bound, and stored without vectors of the server', async () => {
  const database = fakeDatabase({ names: ['notes'] });
  const { info, asked, phases } = await copyPart(database, { filters: ['2', '5'] });
  const even = asked.filter(({ filter }) => filter === '2');
  assert.equal(even.reduce((sum, { k }) => sum + k, 0), COPY.answerMax);
  assert.ok(even.every(({ k, offset }) => offset + k <= COPY.answerMax && k <= COPY.page));
  // 10,000 even ones up to 20,000, then 5,000 that 5 divides, 2,000 of them among the even ones.
  assert.equal(info.documents, 13_000);
  assert.deepEqual(database.documents.get('d2'), { id: 'd2', metadata: { i: 2 } });
  assert.deepEqual(database.done.map(([what]) => what), ['drop', 'create', 'flush']);
  // Those between two that were copied, whichever group of documents they came with, each once.
  const [small, numbers] = [database.edges.filter(({ source }) => source === 'd4'), new Set()];
  assert.deepEqual(small, [1, 2].map((step) => ({ source: 'd4', relation: 'next', target: `d${4 + step}`, weight: step })));
  for (const { source, target } of database.edges) {
    assert.ok(database.documents.has(source) && database.documents.has(target));
    numbers.add(`${source} ${target}`);
  }
  assert.equal(numbers.size, database.edges.length);
  assert.deepEqual(phases.slice(0, 2), ['documents 0/0', 'documents 2000/0']);
  assert.ok(phases.includes('storing 0/13000') && phases.includes('storing 13000/13000'));
  assert.equal(phases.at(-1), 'sealing 0/13000');
});

test('indexing goes on until every segment has an index', async () => {
  const database = fakeDatabase();
  const collection = await database.create();
  await collection.seal();
  const seen = [];
  await indexCollection({ collection, onProgress: ({ done, total }) => seen.push(`${done}/${total}`) });
  assert.deepEqual(seen, ['0/2', '1/2', '2/2']);
});

test('no more is fetched than is wanted, and vectors only where nothing here could make them', async () => {
  const database = fakeDatabase();
  const { asked } = await copyPart(database, { most: 2_500, info: { ...INFO, embedder: null } });
  assert.deepEqual(asked, [{ k: 2_000, offset: 0, filter: '1' }, { k: 500, offset: 2_000, filter: '1' }]);
  assert.deepEqual(database.documents.get('d7').vector, [7, 0, 0]);
  assert.equal(database.documents.size, 2_500);
});

test('a copy that fails or is cancelled leaves nothing, and says why', async () => {
  const full = fakeDatabase({ failAt: 1_000 });
  await assert.rejects(copyPart(full), { code: 'disk_full' });
  assert.deepEqual(full.done.at(-1), ['drop', 'notes']);
  const control = new AbortController();
  const cancelled = fakeDatabase();
  const create = cancelled.create;
  cancelled.create = (...given) => {
    control.abort();
    return create(...given);
  };
  await assert.rejects(copyPart(cancelled, { signal: control.signal }), { name: 'AbortError' });
  assert.deepEqual([cancelled.documents.size, cancelled.done.at(-1)], [0, ['drop', 'notes']]);
});

test('a collection is made like the one that it is a part of', () => {
  assert.deepEqual(configOf(INFO), {
    metric: 'dot', dim: 3, m: 8, ef_construction: 50, text: { language: 'english', fields: ['title'], k1: 1.2, b: 0.75 }, embedder: 'e',
  });
  const apart = { languages: { title: 'german' }, weights: { title: 2 } };
  const { text } = configOf({ ...INFO, ...apart });
  assert.deepEqual(text, { language: 'english', fields: ['title'], k1: 1.2, b: 0.75, ...apart });
  const bare = configOf({ ...INFO, dim: null, language: null, fields: null, k1: null, b: null, embedder: null });
  assert.deepEqual(bare, { metric: 'dot', m: 8, ef_construction: 50 });
});
