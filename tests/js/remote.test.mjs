// The package against a server: what the scenarios do not look at. A real server, and some that misbehave.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { after as atEnd, before, describe, test } from 'node:test';

import { connect, openMemory } from 'kithdb';

import { startServer } from './server.mjs';
import { after, folder, random, refused, vector } from './support.mjs';

/** An HTTP server that answers by `handle`; its address. */
async function fake(t, handle) {
  const server = createServer(handle);
  await new Promise((up) => server.listen(0, '127.0.0.1', up));
  after(t, () => {
    server.closeAllConnections();
    return new Promise((down) => server.close(down));
  });
  return `http://127.0.0.1:${server.address().port}`;
}

const json = (response, status, body, headers = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

describe('a server', () => {
  let server;
  atEnd(() => server?.stop());
  const data = folder({ after: atEnd });
  before(async () => {
    server = await startServer(join(data, 'db'));
  });

  /** A connection and a new collection. */
  async function films(t, name, config) {
    const db = await connect(server.address);
    after(t, () => db.close());
    return [db, await db.create(name, config)];
  }

  test('keeps every bit of vectors and every time', async (t) => {
    const [, collection] = await films(t, 'bits', { metric: 'dot', history: 'forever' });
    const next = random(7);
    const documents = Array.from({ length: 200 }, (_, i) => ({
      id: `d${i}`,
      vector: i % 7 === 0 ? null : vector(next, 33),
      metadata: { i, text: 'größer 🦒', when: new Date(0) },
    }));
    assert.deepEqual(await collection.addMany(documents), { written: 200, replaced: 0 });
    const got = await collection.getMany(['d1', 'no', 'd0', 'd199']);
    assert.deepEqual(got[0], { id: 'd1', vector: documents[1].vector, metadata: { i: 1, text: 'größer 🦒', when: '1970-01-01T00:00:00.000Z' } });
    assert.deepEqual([got[1], got[2].vector, got[3].vector], [null, null, documents[199].vector]);
    const [version] = await collection.versions('d5');
    assert.deepEqual(version.vector, documents[5].vector);
    await collection.delete('d5');
    assert.deepEqual((await collection.get('d5', { as_of: version.valid_from })).vector, documents[5].vector);
    const { hits } = await collection.search({ vector: documents[9].vector, k: 3, with_vector: true });
    assert.deepEqual(hits[0].vector, documents[Number(hits[0].id.slice(1))].vector);
    const seen = [];
    for await (const document of collection.scan()) seen.push(document.id);
    assert.equal(seen.length, 199);
  });

  test('answers as the engine in this process does', async (t) => {
    const [, there] = await films(t, 'twins', { text: {} });
    const local = await openMemory();
    after(t, () => local.close());
    const here = await local.create('twins', { text: {} });
    const next = random(3);
    const documents = Array.from({ length: 300 }, (_, i) => ({
      id: `${i}`,
      vector: vector(next, 8),
      metadata: { text: i % 2 ? 'an odd number' : 'an even number', i },
    }));
    for (const collection of [here, there]) {
      await collection.addMany(documents);
      await collection.graph.link([{ source: '1', relation: 'next', target: '2' }, { source: '2', relation: 'next', target: '3' }]);
    }
    const requests = [
      { vector: vector(next, 8), text: 'odd', filter: 'i > 10', k: 5, explain: true, highlight: true },
      { filter: { field: 'i', op: '<', value: 20 }, facets: ['i'], sort: ['i'], k: 3 },
      { text: 'even', k: 2, with_vector: true },
    ];
    for (const request of requests) assert.deepEqual(await there.search(request), await here.search(request));
    assert.equal(there.name, here.name);
    const path = { source: '1', target: '3' };
    assert.deepEqual((await there.graph.path(path)).nodes, (await here.graph.path(path)).nodes);
  });

  test('takes keys that no path could hold', async (t) => {
    const db = await connect(server.address);
    after(t, () => db.close());
    for (const key of ['..', '.', 'get', 'a/b?c#d', 'größe 🦒']) {
      assert.equal(await db.kv.get(key), null);
      assert.equal(await db.kv.set(key, key), false);
      assert.equal(await db.kv.set(key, key, { durability: 'always' }), true);
      assert.equal(await db.kv.get(key), key);
      assert.deepEqual(await db.kv.list({ prefix: key.slice(0, 2), limit: 1 }), { keys: [key], next: null });
      assert.equal(await db.kv.delete(key), true);
      assert.equal(await db.kv.delete(key), false);
    }
    for (const name of ['', '.', '..', '\ud800', 'no/where']) {
      await refused('unknown_collection', () => db.collection(name).info());
    }
    await refused('invalid_id', () => db.collection('bits').get('\ud800'));
  });

  test('hands out a collection as bytes or as a stream, and takes it back', async (t) => {
    const [db, collection] = await films(t, 'moved');
    await collection.addMany([{ id: 'a', vector: [1, 2] }, { id: 'b' }]);
    const bytes = await collection.export();
    const copies = [bytes, new Blob([bytes]), await collection.exportStream()];
    for (const [i, file] of copies.entries()) {
      const copy = await db.import(`copy-${i}`, file);
      assert.equal((await copy.info()).documents, 2);
      await db.drop(copy.name);
    }
    const local = await openMemory();
    after(t, () => local.close());
    assert.equal((await (await local.import('here', await collection.exportStream())).info()).documents, 2);
    await refused('invalid_request', () => db.import('no', 'text'));
  });

  test('tells how far jobs are, and cancels them', async (t) => {
    const [, collection] = await films(t, 'jobs', { metric: 'euclidean' });
    const next = random(5);
    await collection.addMany(Array.from({ length: 1000 }, (_, i) => ({ id: `${i}`, vector: vector(next, 32) })));
    const told = [];
    assert.equal(await collection.optimize({ onProgress: (job) => told.push(job) }), true);
    assert.ok(told.every(({ kind, done, total }) => kind === 'optimize' && done <= total));
    assert.equal(await collection.job(), null);
    assert.equal(await collection.cancelJob(), false);
    await refused('cancelled', () => collection.optimize({ signal: AbortSignal.abort() }));
    await collection.compress('pq');
    assert.equal((await collection.info()).codes, 'pq');
  });

  test('answers many searches at once, with their vectors', async (t) => {
    const [, collection] = await films(t, 'many', { metric: 'euclidean' });
    const documents = Array.from({ length: 50 }, (_, i) => ({ id: `${i}`, vector: [i, i] }));
    await collection.addMany(documents);
    const requests = documents.map(({ vector }, i) => ({ vector, k: 2, with_vector: i % 2 === 0 }));
    const results = await collection.searchMany([...requests, { filter: "x = 1" }]);
    assert.deepEqual(results.map(({ hits }) => hits[0]?.id), [...documents.map(({ id }) => id), undefined]);
    assert.deepEqual(results[6].hits[0].vector, Float32Array.of(6, 6));
    assert.equal(results[7].hits[0].vector, undefined);
    for (const [i, request] of requests.entries()) assert.deepEqual(results[i], await collection.search(request));
    assert.deepEqual(await collection.searchMany([]), []);
  });

  test('does a change once under a key', async (t) => {
    const [db, collection] = await films(t, 'once');
    await collection.add({ id: 'a' }, { idempotency_key: 'add-a' });
    assert.deepEqual(await collection.add({ id: 'a' }, { idempotency_key: 'add-a' }), { written: 1, replaced: 0 });
    await refused('document_exists', () => collection.add({ id: 'a' }));
    await refused('idempotency_key_reused', () => collection.add({ id: 'b' }, { idempotency_key: 'add-a' }));
    for (const _ of [1, 2]) assert.equal(await collection.touch('a', { idempotency_key: 'touch-a' }), 1);
    assert.equal((await collection.touches(['a']))[0].count, 1);
    for (const _ of [1, 2]) await db.create('twice', {}, { idempotency_key: 'create' });
    for (const _ of [1, 2]) await db.drop('twice', { idempotency_key: 'drop' });
  });

  test('tells figures, and that all is sound', async (t) => {
    const [db, collection] = await films(t, 'figures');
    await collection.addMany([{ id: 'a', vector: [1] }, { id: 'b' }]);
    await collection.seal();
    const stats = (await db.stats()).find(({ name }) => name === 'figures');
    assert.deepEqual([stats.documents, stats.vectors, stats.segments.length], [2, 1, 1]);
    const verified = await db.verify();
    assert.ok(verified.clean && verified.summary.ok > 5, JSON.stringify(verified));
  });

  test('refuses in the words of the core, and says what cannot be', async (t) => {
    const [db, collection] = await films(t, 'refusing');
    const error = await refused('invalid_filter', () => collection.search({ filter: 'n =' }));
    assert.deepEqual([error.position, typeof error.expected, typeof error.hint], [3, 'string', 'string']);
    await refused('collection_exists', () => db.create('refusing'));
    await refused('unknown_collection', () => db.collection('nowhere').info());
    await refused('unsupported', () => collection.searchSync({}));
    assert.ok((await db.collections()).some(({ name }) => name === 'refusing'));
    await db.close();
    await refused('closed', () => collection.info());
  });

  test('is reached behind a path, with a token that no address holds', async (t) => {
    const seen = [];
    const { port } = new URL(server.address);
    const proxy = await fake(t, (request, response) => {
      seen.push([request.url, request.headers.authorization]);
      const headers = { ...request.headers, host: `127.0.0.1:${port}` };
      const path = request.url.replace('/a%20b/c', '');
      const onward = forward({ port, host: '127.0.0.1', method: request.method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    for (const address of [`${proxy}/a%20b/c`, `${proxy}/a%20b/c/?x#y`, new URL(`${proxy}/a%20b/c/`)]) {
      const db = await connect(address, { token: 'secret' });
      await db.collections();
      await db.close();
    }
    assert.deepEqual(seen, Array(3).fill(['/a%20b/c/v1/collections', 'Bearer secret']));
  });
});

test('a server that wants a token is told it', async (t) => {
  const data = folder(t);
  const [token, file] = ['a-token-of-enough-characters', join(data, 'token')];
  writeFileSync(file, token, { mode: 0o600 });
  const server = await startServer(join(data, 'db'), '--token-file', file);
  after(t, () => server.stop());
  await refused('missing_token', async () => (await connect(server.address)).collections());
  const wrong = 'another-token-of-enough-characters';
  const error = await refused('unknown_token', async () => (await connect(server.address, { token: wrong })).collections());
  assert.ok(!JSON.stringify({ ...error, message: error.message, stack: error.stack }).includes(wrong));
  const db = await connect(server.address, { token });
  assert.deepEqual(await db.collections(), []);
  assert.equal((await db.verify()).clean, true);
});

test('an address or token that cannot be one is refused', async () => {
  for (const url of ['', 'nowhere', 'ftp://a', 'file:///etc', 'http://me:secret@localhost', undefined]) {
    const error = await refused('invalid_request', () => connect(url));
    assert.ok(!error.message.includes('secret'), error.message);
  }
  const error = await refused('invalid_request', () => connect('http://a', { token: 'two\nsecrets' }));
  assert.ok(!`${error.message}${error.got}`.includes('secrets'), error.message);
  await refused('invalid_request', () => connect('http://a', { retries: -1 }));
});

describe('a server that fails', () => {
  test('is unreachable when nobody listens', async (t) => {
    const gone = await nobody(t);
    const db = await connect(gone, { retries: 1 });
    const error = await refused('unreachable', () => db.collections());
    assert.ok(error.message.includes(gone) && error.cause instanceof Error, error.message);
  });

  test('is no KithDB when it answers anything else', async (t) => {
    const address = await fake(t, (request, response) => {
      if (request.url.includes('flush')) return response.writeHead(302, { location: '/elsewhere' }).end();
      if (request.url.includes('kv')) return response.writeHead(200, { 'content-type': 'application/json' }).end('{');
      if (request.url.includes('search')) return json(response, 200, {});
      if (request.url.includes('locked')) return response.writeHead(401).end('<html>who are you?</html>');
      if (request.url.includes('much')) return response.writeHead(413).end();
      return response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    });
    const db = await connect(address);
    for (const ask of [
      () => db.collections(),
      () => db.flush(),
      () => db.kv.get('k'),
      () => db.collection('c').search({}),
    ]) {
      await refused('invalid_answer', ask);
    }
    await refused('unauthorized', () => db.collection('locked').info());
    await refused('too_large', () => db.collection('much').info());
  });

  test('loses the connection in the middle of an answer', async (t) => {
    let count = 0;
    const address = await fake(t, (_, response) => {
      count += 1;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"coll');
      setImmediate(() => response.destroy());
    });
    const db = await connect(address, { retries: 2 });
    await refused('connection_lost', () => db.collections());
    assert.equal(count, 3);
  });

  test('is asked again where that is safe, and nowhere else', async (t) => {
    const seen = [];
    let failures = 0;
    const address = await fake(t, async (request, response) => {
      seen.push(request.headers['idempotency-key']);
      for await (const _ of request);
      if (failures-- > 0) return response.destroy();
      if (request.url.endsWith('/documents')) return json(response, 200, { written: 1, replaced: 0 });
      return json(response, 200, { collections: [] });
    });
    const db = await connect(address);
    const times = async (count, work) => {
      [seen.length, failures] = [0, count];
      const outcome = await work().then(() => 'done', (error) => error.code);
      return [outcome, seen.length];
    };
    assert.deepEqual(await times(2, () => db.collections()), ['done', 3]);
    assert.deepEqual(await times(3, () => db.collections()), ['unreachable', 3]);
    const add = (options) => () => db.collection('c').add({ id: 'a' }, options);
    assert.deepEqual(await times(1, add()), ['unreachable', 1]);
    assert.deepEqual(await times(1, add({ idempotency_key: 'once' })), ['done', 2]);
    assert.deepEqual(seen, ['once', 'once']);
    await refused('invalid_request', add({ idempotency_key: 'a b' }));
  });

  test('is asked once what takes long: it may still be at work on it', async (t) => {
    // A verify of hours is cut off, as Node does after five minutes: two more would run beside the first.
    let count = 0;
    const address = await fake(t, (request, response) => {
      count += 1;
      request.resume();
      response.destroy();
    });
    const db = await connect(address, { retries: 2 });
    const one = db.collection('c');
    for (const ask of [() => db.verify(), () => one.estimate({}), () => one.graph.components({})]) {
      count = 0;
      await refused('unreachable', ask);
      assert.equal(count, 1);
    }
  });

  test('is given up in the middle of a file', async (t) => {
    // The head of an export and its first bytes have come, the rest never does: a signal of the call, one of the connection
    // and whoever cancels the stream each end it, and the server sees that.
    let ended = 0;
    const address = await fake(t, (_, response) => {
      response.on('close', () => (ended += 1));
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).write('begun');
    });
    const [one, all] = [new AbortController(), new AbortController()];
    const db = await connect(address, { signal: all.signal });
    const begin = async (options) => {
      const reader = (await db.collection('c').exportStream(options)).getReader();
      assert.equal(new TextDecoder().decode((await reader.read()).value), 'begun');
      return reader;
    };
    const [first, second, third] = [await begin({ signal: one.signal }), await begin(), await begin()];
    const rest = first.read();
    one.abort(new Error('enough'));
    assert.equal((await refused('cancelled', () => rest)).cause.message, 'enough');
    await second.cancel();
    all.abort();
    await refused('cancelled', () => third.read());
    while (ended < 3) await new Promise((go) => setTimeout(go, 5));
  });

  test('says when it wants to be asked again, and is not asked where that helps nothing', async (t) => {
    let [count, headers] = [0, {}];
    const report = { code: 'degraded', message: 'read-only' };
    const address = await fake(t, (_, response) => {
      count += 1;
      json(response, 503, report, headers);
    });
    const db = await connect(address);
    await refused('degraded', () => db.collections());
    assert.equal(count, 1);
    [count, headers] = [0, { 'retry-after': '0' }];
    await refused('degraded', () => db.collections());
    assert.equal(count, 3);
    [count, headers] = [0, { 'retry-after': '3600' }];
    await refused('degraded', () => db.collections());
    assert.equal(count, 1);
  });

  test('is given up by a signal: of a call, or of the connection', async (t) => {
    let [begun, ended] = [0, 0];
    const address = await fake(t, (request, response) => {
      begun += 1;
      response.on('close', () => (ended += 1));
      request.resume();
    });
    const [one, all] = [new AbortController(), new AbortController()];
    const db = await connect(address, { signal: all.signal });
    const calls = [
      db.collections({ signal: one.signal }),
      db.collection('c').search({ text: 'x' }, { signal: one.signal }),
      db.collection('c').add({ id: 'x' }, { signal: one.signal }),
      db.collection('c').graph.components({}, { signal: one.signal }),
    ];
    const other = db.collection('c').info();
    // One that was given up before it was sent would never be seen to end.
    while (begun < 5) await new Promise((go) => setTimeout(go, 5));
    one.abort(new Error('enough'));
    for (const call of calls) assert.equal((await refused('cancelled', () => call)).cause.message, 'enough');
    all.abort();
    await refused('cancelled', () => other);
    await refused('cancelled', () => db.collections());
    while (ended < 5) await new Promise((go) => setTimeout(go, 5));
  });
});

test('requests go through the fetch that is given', async () => {
  const seen = [];
  const db = await connect('https://example.test/kith', {
    token: 't',
    fetch: async (url, { headers, method }) => {
      seen.push([method, url, headers.authorization]);
      return Response.json({ collections: [] });
    },
  });
  assert.deepEqual(await db.collections(), []);
  assert.deepEqual(seen, [['GET', 'https://example.test/kith/v1/collections', 'Bearer t']]);
});

test('calls of an engine in this process are given up, too', async (t) => {
  const db = await openMemory();
  after(t, () => db.close());
  const collection = await db.create('c');
  await refused('cancelled', () => collection.add({ id: 'a' }, { signal: AbortSignal.abort() }));
  assert.equal((await collection.info()).documents, 0);
  assert.deepEqual(await collection.add({ id: 'a' }, { signal: new AbortController().signal, idempotency_key: 'x' }), { written: 1, replaced: 0 });
  await refused('invalid_request', () => collection.info({ signal: 'now' }));
});

/** An address where nobody listens, and nobody can meanwhile: its port is that of the near end of a connection. */
async function nobody(t) {
  const { port, hostname: host } = new URL(await fake(t, () => {}));
  const near = dial({ port, host });
  after(t, () => near.destroy());
  await new Promise((up) => near.once('connect', up));
  return `http://127.0.0.1:${near.localPort}`;
}
