// The browser engine in a real browser: what is stored survives reloads, crashes and full disks, and belongs to one tab.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { launchBrowser } from './browser.mjs';
import { STRICTEST, startSite } from './site.mjs';

describe('the engine in a page', () => {
  let browser;
  let site;
  let context;
  before(async () => {
    browser = await launchBrowser();
    site = await startSite('/browser/engine-page.mjs', {}, STRICTEST);
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  /** An empty page with the engine in `globalThis.kith`; whatever breaks its policy fails the test. */
  async function openPage(t, { origin } = site) {
    const page = await context.newPage();
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => wrong.push(message.text()));
    await page.goto(origin);
    await page.waitForFunction(() => globalThis.kith);
    t.after(() => assert.deepEqual(wrong, []));
    return page;
  }

  async function reload(page) {
    await page.reload();
    await page.waitForFunction(() => globalThis.kith);
  }

  test('documents are found after a reload, and the page keeps to the strictest policy', async (t) => {
    const page = await openPage(t);
    await page.evaluate(async () => {
      const db = await kith.open('films');
      const collection = await db.create('a', { text: {} });
      await collection.addMany(kith.documents(0, 1000));
      await collection.seal();
      await collection.index();
      await collection.add({ id: 'late', metadata: { text: 'late' } }, { durability: 'always' });
    });
    await reload(page);
    const found = await page.evaluate(async () => {
      const collection = (await kith.open('films')).collection('a');
      const info = await collection.info();
      const vector = (await collection.get('d42')).vector;
      const [byVector, byWord] = [await collection.search({ vector, k: 1 }), collection.searchSync({ text: 'number777' })];
      return { info, hits: [byVector, byWord, await collection.search({ text: 'late' })].map(({ hits }) => hits[0].id) };
    });
    assert.deepEqual(found.hits, ['d42', 'd777', 'late']);
    assert.deepEqual([found.info.documents, found.info.indexed, found.info.memtable], [1001, 1, 1]);
  });

  test('the pieces of a blob come in order, and what takes them may fail between two', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      const { STORES, apply, create, readBlob } = await import('/kithdb/wasm/layout.js');
      const { transact } = await import('/kithdb/wasm/transactions.js');
      const database = await new Promise((done, fail) => {
        const request = indexedDB.open('pieces', 1);
        request.onupgradeneeded = () => create(request.result, request.transaction);
        request.onsuccess = () => done(request.result);
        request.onerror = () => fail(request.error);
      });
      const piece = (blob, i) => ({ kind: 'blob', storage: 1, blob, type: 1, offset: 3 * i, total: 33, bytes: Uint8Array.of(blob, i, 7) });
      const work = [1, 2].flatMap((blob) => Array.from({ length: 11 }, (_, i) => piece(blob, i)));
      await transact(database, STORES, 'readwrite', 'strict', (transaction) => apply(transaction, { ticket: 1, strict: true, work }));
      const read = async (blob, failAt = Infinity) => {
        const pieces = [];
        const take = (offset, bytes) => {
          if (offset === failAt) throw new Error(`no piece at ${offset}`);
          pieces.push([offset, ...bytes]);
        };
        const reading = transact(database, STORES, 'readonly', 'relaxed', (transaction) => readBlob(transaction, 1, blob, take));
        return reading.then(() => pieces, ({ message }) => [message, pieces.length]);
      };
      // Side by side, as an opening reads.
      return Promise.all([read(1), read(2), read(1, 0), read(2, 3), read(1, 30), read(2)]);
    });
    const whole = (blob) => Array.from({ length: 11 }, (_, i) => [3 * i, blob, i, 7]);
    const [one, two, ...rest] = seen;
    assert.deepEqual([one, two, rest.pop()], [whole(1), whole(2), whole(2)]);
    assert.deepEqual(rest, [['no piece at 0', 0], ['no piece at 3', 1], ['no piece at 30', 10]]);
  });

  test('what is stored lies as docs/BROWSER.md says', async (t) => {
    const page = await openPage(t);
    const { version, values, ...keys } = await page.evaluate(async () => {
      const db = await kith.open('films');
      const collection = await db.create('a');
      for (let i = 0; i < 3; i++) await collection.addMany(kith.documents(10 * i, 10));
      await collection.seal();
      await collection.add({ id: 'x' });
      await db.close();
      return kith.stored('films');
    });
    assert.equal(version, 1);
    assert.deepEqual(Object.keys(keys).sort(), ['blobs', 'logs', 'lost', 'manifests', 'meta', 'pieces', 'pointers']);
    assert.deepEqual(keys.meta, ['epoch', 'format', 'sync']);
    const [epoch, format] = values;
    assert.ok(Number.isSafeInteger(epoch) && epoch > 1e12, `${epoch} is in milliseconds`);
    assert.equal(format, 1);
    const number = keys.pointers.find((storage) => storage !== 0);
    assert.deepEqual(keys.pointers, [0, number]);
    assert.ok(keys.manifests.some(([storage]) => storage === number));
    assert.ok(keys.logs.some(([storage, , sequence]) => storage === number && sequence === 1));
    assert.ok(keys.blobs.every((key) => key.length === 3 && key[0] === number) && keys.blobs.length >= 3);
    assert.deepEqual(keys.pieces, keys.blobs.map((key) => [...key, 0]));
    assert.deepEqual(keys.lost, []);
  });

  // Chromium keeps larger values in files, which what makes a log durable later does not make durable.
  test('no record of a log is as large as what lies in a file of its own', async (t) => {
    const page = await openPage(t);
    const [lengths, found] = await page.evaluate(async () => {
      let db = await kith.open('films');
      const collection = await db.create('a');
      await collection.addMany(Array.from({ length: 40 }, (_, i) => ({ id: `${i}`, metadata: { text: `${i} `.repeat(3000) } })));
      const request = await new Promise((done) => { indexedDB.open('kithdb:films').onsuccess = ({ target }) => done(target.result); });
      const logs = await new Promise((done) => {
        request.transaction('logs').objectStore('logs').getAll().onsuccess = ({ target }) => done(target.result);
      });
      request.close();
      await db.close();
      db = await kith.open('films');
      const { text } = (await db.collection('a').get('39')).metadata;
      await db.close();
      return [logs.map((record) => record.byteLength), text.length];
    });
    assert.ok(lengths.reduce((a, b) => a + b, 0) > 300_000);
    assert.ok(Math.max(...lengths) <= 60_000, `${lengths}`);
    assert.equal(found, 9000);
  });

  test('one tab at a time has a database, until it is closed', async (t) => {
    const [one, two] = [await openPage(t), await openPage(t)];
    await one.evaluate(async () => {
      globalThis.db = await kith.open('films');
    });
    for (const page of [one, two]) {
      assert.equal(await page.evaluate(() => kith.refused(() => kith.open('films'))), 'database_locked');
    }
    await two.evaluate(async () => (await kith.open('others')).close());
    await one.close();
    await two.evaluate(async () => {
      // The tab is gone a moment before its locks are.
      while ((await navigator.locks.query()).held.length > 0) await new Promise((later) => setTimeout(later, 10));
      const db = await kith.open('films');
      await db.create('a');
      await db.close();
      await (await kith.open('films')).close();
    });
  });

  test('without locks, the tab that opened last has it, and the other one is told', async (t) => {
    const [one, two] = [await openPage(t), await openPage(t)];
    for (const page of [one, two]) {
      await page.evaluate(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
    }
    await one.evaluate(async () => {
      globalThis.collection = await (await kith.open('films')).create('a');
      await collection.add({ id: 'first' });
    });
    const seen = await two.evaluate(async () => {
      globalThis.collection = (await kith.open('films')).collection('a');
      await collection.add({ id: 'second' });
      return (await collection.page()).documents.map(({ id }) => id);
    });
    assert.deepEqual(seen, ['first', 'second']);
    // What makes the first document durable, within a second of it, may be told before this write is.
    const codes = await one.evaluate(async () => [
      await kith.why(() => collection.add({ id: 'third' })),
      await kith.why(() => collection.get('first')),
    ]);
    assert.ok(['database_locked', 'closed by database_locked'].includes(codes[0]), codes[0]);
    assert.equal(codes[1], 'closed by database_locked');
    assert.equal(await two.evaluate(async () => (await collection.info()).documents), 2);
  });

  test('when the quota is reached a write is refused, what is stored stays, and writing goes on when there is room', async (t) => {
    const page = await openPage(t);
    const session = await context.newCDPSession(page);
    const quota = (quotaSize) => session.send('Storage.overrideQuotaForOrigin', { origin: site.origin, quotaSize });
    await quota(4 * 2 ** 20);
    const before = await page.evaluate(async () => {
      globalThis.collection = await (await kith.open('films')).create('a');
      let stored = 0;
      for (; stored < 5000; stored += 20) {
        const code = await kith.refused(() => collection.addMany(kith.documents(stored, 20, 20000)));
        if (code === 'disk_full') break;
        if (code !== 'nothing was thrown') return { code };
      }
      return { stored, documents: (await collection.info()).documents };
    });
    assert.ok(before.stored > 0 && before.documents === before.stored, JSON.stringify(before));
    const refusal = await page.evaluate(async () => {
      const write = collection.addMany(kith.documents(1e6, 50, 40000));
      return write.then(() => undefined, ({ code, message, hint }) => ({ code, message, hint }));
    });
    assert.equal(refusal?.code, 'disk_full');
    assert.match(refusal.message, /^no space left/);
    assert.ok(refusal.hint);
    await quota(200 * 2 ** 20);
    const counts = await page.evaluate(async () => {
      const there = (await collection.info()).documents;
      await collection.addMany(kith.documents(2e6, 20, 20000));
      return [there, (await collection.info()).documents];
    });
    assert.deepEqual(counts, [before.documents, before.documents + 20]);
    await reload(page);
    const documents = await page.evaluate(async () => (await (await kith.open('films')).collection('a').info()).documents);
    assert.equal(documents, counts[1]);
  });

  test('a database that is deleted under its tab closes and says so', async (t) => {
    const page = await openPage(t);
    const codes = await page.evaluate(async () => {
      const db = await kith.open('films');
      const collection = await db.create('a');
      await collection.add({ id: 'x' });
      await new Promise((done, fail) => {
        const request = indexedDB.deleteDatabase('kithdb:films');
        request.onsuccess = done;
        request.onerror = fail;
      });
      const error = await collection.get('x').catch((caught) => caught);
      await db.close();
      const again = await kith.open('films');
      return [error.code, error.message, error.cause.code, (await again.collections()).length];
    });
    assert.deepEqual([codes[0], codes[2], codes[3]], ['closed', 'storage_lost', 0]);
    assert.match(codes[1], /deleted/);
  });

  test('every byte that is stored is verified while the database is used, and one that was changed is found', async (t) => {
    const page = await openPage(t);
    const found = await page.evaluate(async () => {
      const db = await kith.open('films');
      const [films, others] = [await db.create('films', { text: {} }), await db.create('others', { codes: 'bits' })];
      for (const collection of [films, others]) {
        await collection.addMany(kith.documents(0, 300));
        await collection.seal();
        await collection.index();
        await collection.delete(['d7']);
      }
      await db.kv.set('key', 'value');
      // A bulk write puts another manifest in place while the first collection is looked at.
      const told = [];
      let bulk;
      const onProgress = ({ done, total }) => {
        told.push([done, total]);
        bulk ??= films.addMany(kith.documents(1000, 50), { bulk: true });
      };
      const sound = await db.verify({ onProgress });
      await bulk;
      const giving = new AbortController();
      const cancelled = await kith.refused(() => db.verify({ signal: giving.signal, onProgress: () => giving.abort() }));
      const gone = db.verify({ onProgress: () => void (globalThis.dropping ??= db.drop('others')) });
      const dropped = await gone;
      await globalThis.dropping;
      const blob = await kith.flipped('films');
      return { sound, told, cancelled, dropped, blob, damaged: await db.verify(), documents: (await films.info()).documents };
    });
    // What the bulk write put another in place of may still be there, and is told of.
    const told = found.sound.objects.filter(({ state }) => state !== 'unneeded');
    assert.deepEqual([found.sound.clean, told, found.sound.summary.collections], [true, [], 3], JSON.stringify(found.sound));
    assert.ok(found.sound.summary.bytes > 600 * 12, JSON.stringify(found.sound.summary));
    const done = found.told.map(([count]) => count);
    assert.ok(done.length > 10 && done.at(-1) > 8 && found.told.at(-1)[1] >= 12, JSON.stringify(found.told));
    assert.equal(found.cancelled, 'cancelled');
    assert.deepEqual([found.dropped.clean, found.dropped.summary.collections], [true, 2], JSON.stringify(found.dropped));
    const { clean, objects } = found.damaged;
    const rows = objects.find(({ object }) => object.endsWith(`/${found.blob}.rows`));
    assert.deepEqual([clean, rows.collection, rows.state, rows.derived], [false, 'films', 'damaged', false], JSON.stringify(objects));
    assert.ok(rows.findings[0].what.length > 0 && objects.every(({ collection }) => collection === 'films'), JSON.stringify(objects));
    assert.equal(found.documents, 349);
  });

  test('a database is deleted once nothing has it open, and only then', async (t) => {
    const page = await openPage(t);
    const other = await openPage(t);
    await other.evaluate(async () => {
      globalThis.db = await kith.open('films', { shared: true });
      await (await db.create('a')).add({ id: 'x' });
    });
    assert.equal(await page.evaluate(() => kith.refused(() => kith.deleteDatabase('films'))), 'database_locked');
    await other.evaluate(async () => {
      await db.collection('a').add({ id: 'y' });
      await db.close();
    });
    const done = await page.evaluate(async () => {
      const own = await kith.open('films');
      const kept = (await own.collection('a').info()).documents;
      const codes = [await kith.refused(() => kith.deleteDatabase('films')), await kith.refused(() => kith.deleteDatabase(''))];
      await own.close();
      const deleted = [await kith.deleteDatabase('films'), await kith.deleteDatabase('films')];
      return { kept, codes, deleted, collections: await (await kith.open('films')).collections() };
    });
    assert.deepEqual(done, { kept: 2, codes: ['database_locked', 'invalid_name'], deleted: [true, false], collections: [] });
  });

  // A connection of somebody else, which does not close when it is told to. The browser keeps what it was asked: who opened the
  // database then once waited without end, and so did who deleted it again.
  test('a database that a strange connection holds goes when that ends, and nobody waits without end', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      const films = await kith.open('films');
      await films.create('a');
      await films.close();
      const strange = await new Promise((done) => { indexedDB.open('kithdb:films').onsuccess = (event) => done(event.target.result); });
      const codes = [];
      for (const verb of ['deleteDatabase', 'open', 'deleteDatabase']) codes.push(await kith.refused(() => kith[verb]('films')));
      strange.close();
      for (;;) {
        try {
          return [codes, await (await kith.open('films')).collections()];
        } catch (error) {
          if (error.code !== 'database_locked') throw error;
        }
      }
    });
    assert.deepEqual(seen, [['delete_pending', 'database_locked', 'database_locked'], []]);
  });

  test('a database whose site data is cleared closes and says so', async (t) => {
    const page = await openPage(t);
    await page.evaluate(async () => {
      globalThis.db = await kith.open('films');
      globalThis.collection = await db.create('a');
    });
    const session = await context.newCDPSession(page);
    await session.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'indexeddb' });
    const codes = await page.evaluate(async () => {
      const first = await kith.refused(() => collection.add({ id: 'x' }));
      return [first, await kith.refused(() => collection.add({ id: 'y' })), (await (await kith.open('films')).collections()).length];
    });
    assert.ok(['closed', 'storage_lost'].includes(codes[0]), codes[0]);
    assert.deepEqual(codes.slice(1), ['closed', 0]);
  });

  test('a database of a later version is refused and left as it is', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      await (await kith.open('films')).close();
      const change = (version, work) => new Promise((done, fail) => {
        const request = indexedDB.open('kithdb:films', version);
        request.onerror = () => fail(request.error);
        request.onsuccess = () => {
          const transaction = request.result.transaction('meta', 'readwrite');
          work(transaction.objectStore('meta'));
          transaction.oncomplete = () => done(request.result.close());
        };
      });
      await change(1, (meta) => meta.put(2, 'format'));
      const before = JSON.stringify(await kith.stored('films'));
      const codes = [await kith.refused(() => kith.open('films'))];
      const isUnchanged = JSON.stringify(await kith.stored('films')) === before;
      await change(2, (meta) => meta.put(1, 'format'));
      codes.push(await kith.refused(() => kith.open('films')));
      return { codes, isUnchanged };
    });
    assert.deepEqual(seen, { codes: ['unsupported_version', 'unsupported_version'], isUnchanged: true });
  });

  test('a page without IndexedDB is told to use memory', async (t) => {
    const page = await openPage(t);
    const codes = await page.evaluate(async () => {
      Object.defineProperty(globalThis, 'indexedDB', { value: undefined });
      const code = await kith.refused(() => kith.open('films'));
      const db = await kith.openMemory();
      await (await db.create('a')).add({ id: 'x' });
      return [code, await kith.refused(() => kith.open('')), await kith.refused(() => kith.open(7))];
    });
    assert.deepEqual(codes, ['storage_unavailable', 'invalid_name', 'invalid_request']);
  });

  test('a Worker has the same database, with any number of threads; when it is terminated the next one opens it', async (t) => {
    const other = await startSite('/browser/engine-page.mjs');
    t.after(() => other.stop());
    const page = await openPage(t, other);
    const answers = await page.evaluate(async () => {
      const all = [];
      for (const threads of [1, 3, 1, 3]) {
        const worker = new Worker(`/browser/engine-worker.mjs?threads=${threads}`, { type: 'module' });
        all.push(await new Promise((done, fail) => {
          worker.onmessage = ({ data }) => done(data);
          worker.onerror = fail;
        }));
        worker.terminate();
        // It is gone a moment before its locks are.
        for (let i = 0; (await navigator.locks.query()).held.length > 0; i += 1) {
          if (i === 6000) throw new Error('an ended Worker keeps its locks');
          await new Promise((later) => setTimeout(later, 10));
        }
      }
      return all;
    });
    const single = '/kithdb/wasm/kithdb_wasm_bg.wasm';
    // Where the compiler could not make the module with threads, there is one thread for everybody.
    const threaded = existsSync(new URL('../../js/dist/wasm/threads/kithdb_wasm_bg.wasm', import.meta.url))
      ? '/kithdb/wasm/threads/kithdb_wasm_bg.wasm'
      : single;
    assert.deepEqual(answers, [single, threaded, single, threaded].map((module, documents) => (
      { documents, isIndexed: true, nearest: 'd0', modules: [module] }
    )));
  });
});
