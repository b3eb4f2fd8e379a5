// The calls of a database that is elsewhere: what goes over a link arrives, whatever comes back is what a call would
// have answered, and who gives up or loses the other end is told.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { openMemory } from '../../js/dist/browser.js';
import { EngineDatabase } from '../../js/dist/engine/database.js';
import { KithError } from '../../js/dist/errors.js';
import { Client } from '../../js/dist/rpc/client.js';
import { portLink } from '../../js/dist/rpc/link.js';
import { Server } from '../../js/dist/rpc/server.js';
import { AskedDatabase, Doer, OF_COLLECTION, OF_DATABASE, isRepeatable } from '../../js/dist/rpc/verbs.js';
import { VERBS, VERSION } from '../../js/dist/rpc/version.js';
import { after } from './support.mjs';
import { page, refused, turn } from './wasm/support.mjs';

/** The two ends of a link; `backend` is at the other one. */
function linked(t, backend) {
  const { port1, port2 } = new MessageChannel();
  const client = new Client(portLink(port1));
  const doer = new Doer(backend);
  const server = new Server(portLink(port2), (asked, call) => doer.do(asked, call));
  after(t, () => {
    client.end(new Error('the test is over'));
    server.close();
  });
  const asked = new AskedDatabase((what, call) => client.ask(what, call), () => backend.close());
  return { client, server, asked, db: new EngineDatabase(asked) };
}

const methods = (object) => Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => name !== 'constructor');
const answering = (names) => names.filter((name) => !name.endsWith('Sync')).sort();

test('whatever the engine in a page can do goes over a link', async (t) => {
  const backend = await page(t).backend();
  const collection = await backend.create('a', '{}');
  const { asked } = linked(t, backend);
  assert.deepEqual(answering(methods(asked)), answering(methods(backend)));
  assert.deepEqual(answering(methods(asked.collection('a'))), answering(methods(collection)));
});

/** A database that writes down what it is asked; `answer` says what it answers to a verb. */
function recorder(answer = () => undefined) {
  const calls = [];
  const target = (of) => new Proxy({}, {
    get: (_, verb) => {
      if (verb === 'then') return undefined;
      if (of === undefined && verb === 'collection') return (name) => target(name);
      return async (...args) => {
        calls.push({ of, verb, args });
        return verb === 'create' || verb === 'import' ? target(args[0]) : answer(verb, ...args);
      };
    },
  });
  return { calls, backend: target(undefined) };
}

test('every argument arrives in its place, and behind the last one what goes along', async (t) => {
  const { calls, backend } = recorder();
  const { asked } = linked(t, backend);
  const films = asked.collection('films');
  const signal = new AbortController().signal;
  const vectors = [Float32Array.of(1, 2), undefined, Float32Array.of()];
  const [ids, texts, lives] = [['a', 'b', 'c'], ['{}', undefined, '{"n":1}'], []];
  await films.write(ids, vectors, texts, lives, true, '{"durability":"os"}', { signal });
  await films.search('{"k":1}', Float32Array.of(3));
  await films.search('{"k":2}');
  await films.searchMany(['{}', '{}'], [undefined, Float32Array.of(4)]);
  await films.get(['a'], '{"as_of":"5"}');
  await asked.kvSet('key', 'value', undefined, {});
  await asked.import('copy', Uint8Array.of(1, 2, 3));
  const seen = calls.map(({ of, verb, args }) => [of, verb, args.slice(0, -1)]);
  assert.deepEqual(seen, [
    ['films', 'write', [ids, vectors, texts, lives, true, '{"durability":"os"}']],
    ['films', 'search', ['{"k":1}', Float32Array.of(3)]],
    ['films', 'search', ['{"k":2}', undefined]],
    ['films', 'searchMany', [['{}', '{}'], [undefined, Float32Array.of(4)]]],
    ['films', 'get', [['a'], '{"as_of":"5"}']],
    [undefined, 'kvSet', ['key', 'value', undefined]],
    [undefined, 'import', ['copy', Uint8Array.of(1, 2, 3)]],
  ]);
  assert.ok(calls.every(({ args }) => args.at(-1).signal instanceof AbortSignal));
  assert.equal(vectors[0].length, 2, 'the memory of who asks stays where it is');
});

test('documents, vectors and errors come over as they are', async (t) => {
  const { db } = linked(t, await page(t).backend());
  const films = await db.create('films');
  assert.deepEqual(await films.addMany([{ id: 'a', vector: [1, 2], metadata: { n: 1 } }, { id: 'b' }]), { written: 2, replaced: 0 });
  const [a, b, none] = await films.getMany(['a', 'b', 'c']);
  assert.deepEqual([a.vector, a.metadata, b.vector, none], [Float32Array.of(1, 2), { n: 1 }, null, null]);
  assert.deepEqual((await films.search({})).hits.map(({ id }) => id), ['a', 'b']);
  await refused('document_exists', () => films.add({ id: 'a' }));
  await refused('unknown_collection', () => db.collection('none').info());
  await refused('unsupported', () => films.searchSync({}));
  assert.equal(await films.seal(), true);
});

test('a name means the collection that has it now', async (t) => {
  const { db } = linked(t, await page(t).backend());
  const films = await db.create('films');
  await films.add({ id: 'a' });
  await db.drop('films');
  await refused('unknown_collection', () => films.info());
  await db.create('films');
  assert.equal((await films.info()).documents, 0);
});

test('an error keeps its fields, and what caused it', async (t) => {
  const report = { code: 'invalid_filter', message: 'no', expected: 'a field', got: '"="', position: 3, hint: 'write one' };
  const { backend } = recorder((verb) => {
    if (verb === 'search') throw new KithError(report, new KithError({ code: 'io_failed', message: 'inner' }, new TypeError('innermost')));
    throw new Error(JSON.stringify({ code: 'corrupt', message: 'a report in a message' }));
  });
  const { db } = linked(t, backend);
  const error = await refused('invalid_filter', () => db.collection('a').search({}));
  const { code, message, expected, got, position, hint, name, cause } = error;
  assert.deepEqual({ code, message, expected, got, position, hint }, report);
  assert.deepEqual([name, cause.name, cause.code, cause.cause.name, cause.cause.message], ['KithError', 'KithError', 'io_failed', 'TypeError', 'innermost']);
  await refused('corrupt', () => db.collection('a').info());
});

test('a call that was not begun when its caller gives up is never begun', async (t) => {
  const { calls, backend } = recorder(() => '{"hits":[]}');
  const { db } = linked(t, backend);
  const giveUp = new AbortController();
  const waiting = Array.from({ length: 5 }, () => db.stats({ signal: giveUp.signal }));
  giveUp.abort(new Error('typed on'));
  const all = await Promise.allSettled([...waiting, db.flush()]);
  assert.deepEqual(all.map(({ reason }) => reason?.code), [...Array(5).fill('cancelled'), undefined]);
  assert.equal(all[0].reason.cause.message, 'typed on');
  assert.deepEqual(calls.map(({ verb }) => verb), ['flush']);
});

test('memory is handed over with an answer, not copied, unless something else lies in it', async (t) => {
  const file = new Uint8Array(1000).fill(7);
  const vectors = new Float32Array(10);
  const part = new Float32Array(100).subarray(20, 30);
  const answers = { export: file, searchMany: [{ json: '1', vectors, lengths: Int32Array.of(10) }], get: { json: '2', vectors: part } };
  const { asked } = linked(t, recorder((verb) => answers[verb]).backend);
  const films = asked.collection('films');
  assert.deepEqual((await films.export()).length, 1000);
  const [many, got] = [await films.searchMany(['{}'], [undefined]), await films.get(['a'])];
  assert.deepEqual([many[0].vectors.length, got.vectors.length], [10, 10]);
  assert.deepEqual([file.length, vectors.length, part.length], [0, 0, 10]);
});

test('what cannot be sent is an error of that call alone', async (t) => {
  const { asked, db } = linked(t, recorder((verb) => (verb === 'stats' ? () => {} : '[]')).backend);
  await refused('internal', () => db.stats());
  assert.equal(await asked.collections(), '[]');
});

test('what is no verb is refused, whatever it is called', async (t) => {
  const { calls, backend } = recorder();
  const { client } = linked(t, backend);
  const none = [{ verb: 'close' }, { verb: 'toString' }, { of: 'a', verb: 'writeSync' }, { verb: 5 }, { verb: 'drop', args: ['a', 'b'] }];
  for (const asked of none) await refused('invalid_request', () => client.ask({ args: [], ...asked }));
  assert.deepEqual(calls, []);
});

test('when the other end is gone, who waits and who asks later are told', async (t) => {
  const { client, db } = linked(t, recorder(() => new Promise(() => {})).backend);
  const waiting = db.stats();
  await turn();
  client.end(new KithError({ code: 'worker_lost', message: 'gone' }), new KithError({ code: 'closed', message: 'closed' }));
  await refused('worker_lost', () => waiting);
  await refused('closed', () => db.stats());
  assert.equal(client.isWaiting, false);
});

test('one that resigns refuses what it has not begun, and what comes', async (t) => {
  const { calls, backend } = recorder(() => '{}');
  const { server, db } = linked(t, backend);
  const begun = db.stats();
  while (calls.length === 0) await turn();
  const waiting = db.stats();
  server.refuse(new KithError({ code: 'closed', message: 'closed' }));
  await refused('closed', () => waiting);
  await refused('closed', () => db.stats());
  await begun;
  assert.equal(calls.length, 1);
});

test('what changes something is not asked twice', () => {
  const changes = ['create', 'drop', 'import', 'kvSet', 'kvDelete', 'write', 'delete', 'touch', 'link', 'unlink', 'configure'];
  assert.ok(changes.every((verb) => !isRepeatable({ verb, args: [] })));
  assert.ok(['info', 'get', 'search', 'run', 'flush', 'export'].every((verb) => isRepeatable({ verb, args: [] })));
});

// `memory` was added and the version forgotten: a tab of an older build would have refused it as no verb.
test('other verbs are another version', () => {
  const lists = [OF_DATABASE, OF_COLLECTION].map((verbs) => Object.entries(verbs).sort());
  const digest = createHash('sha256').update(JSON.stringify(lists)).digest('hex').slice(0, 16);
  assert.equal(VERBS.at(-1), digest, 'the verbs have changed: add this digest to VERBS in js/src/rpc/version.ts, and leave those that are there');
  assert.equal(VERSION, VERBS.length);
});

test('a page and a Worker of other builds say so, and open nothing', async (t) => {
  const fake = (takes) => Object.assign(new EventTarget(), { postMessage: takes, isEnded: false, terminate() { this.isEnded = true; } });
  // It answers that it began, as it did before it said its version.
  const older = fake(({ port }) => new Server(portLink(port), async () => undefined));
  const error = await refused('unsupported_version', () => openMemory({ worker: older }));
  assert.deepEqual([error.expected, error.got, older.isEnded], [`version ${VERSION}`, 'an older version', true]);

  let told;
  globalThis.addEventListener = (_, take) => (told = take);
  after(t, () => delete globalThis.addEventListener);
  await import('../../js/dist/worker/worker.js');
  for (const [version, got] of [[undefined, 'an older version'], [VERSION + 1, `version ${VERSION + 1}`]]) {
    const worker = fake((message) => told({ data: { ...message, version } }));
    const other = await refused('unsupported_version', () => openMemory({ worker }));
    assert.deepEqual([other.got, /^the page speaks/.test(other.message), worker.isEnded], [got, true, true]);
  }
});

test('a collection is found while the instance is made anew', async (t) => {
  const refusals = [new KithError({ code: 'restarting', message: 'wait' })];
  const { calls, backend } = recorder(() => '{}');
  const restarting = new Proxy(backend, {
    get(target, verb) {
      if (verb === 'collection' && refusals.length > 0) return () => { throw refusals.pop(); };
      return target[verb];
    },
  });
  const { asked } = linked(t, restarting);
  await asked.collection('a').info();
  assert.deepEqual(calls.map(({ verb }) => verb), ['collections', 'info']);
});

test('where there are no Workers, a database in one is refused', async () => {
  await refused('worker_not_loaded', () => openMemory({ worker: true }));
  await refused('invalid_request', () => openMemory({ worker: 'worker.js' }));
  await refused('invalid_request', () => openMemory({ shared: true }));
  await refused('invalid_request', () => openMemory({ shared: 'yes' }));
});
