// Databases in the origin private file system of a real browser: kept whole, remembered, and of one tab alone.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { launchProfile } from './browser.mjs';
import { startSite } from './site.mjs';

describe('the origin private file system', () => {
  let browser;
  let site;
  let context;
  let pages;
  // In a profile of its own: a context that Playwright makes is a private window, whose files are not on the disk.
  const profile = mkdtempSync(join(tmpdir(), 'kithdb-profile-'));
  before(async () => {
    browser = await launchProfile(profile);
    context = browser.context;
  });
  after(async () => {
    await browser?.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  });
  // Each test has an origin of its own.
  beforeEach(async () => {
    pages = [];
    site = await startSite('/browser/engine-page.mjs');
  });
  afterEach(async () => {
    await Promise.all(pages.map((page) => page.close()));
    await site.stop();
  });

  /** An empty page: `kith` with `inWorker` and `inOpfs`, which open there, and `ask`, which asks the Worker of the tests. */
  async function openPage(t) {
    const page = await context.newPage();
    pages.push(page);
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => wrong.push(message.text()));
    await page.goto(site.origin);
    await page.waitForFunction(() => globalThis.kith);
    await page.evaluate(() => {
      // Compiled once: each Worker would do it again.
      const wasm = WebAssembly.compileStreaming(fetch('/kithdb/wasm/kithdb_wasm_bg.wasm'));
      kith.inWorker = async (name, options) => kith.open(name, { worker: true, wasm: await wasm, ...options });
      kith.inOpfs = (name) => kith.inWorker(name, { storage: 'opfs' });
      kith.ask = (verb) => new Promise((done, fail) => {
        const worker = new Worker('/browser/opfs-worker.mjs', { type: 'module' });
        worker.onerror = ({ message }) => fail(new Error(message));
        worker.onmessage = ({ data }) => {
          worker.terminate();
          done(data);
        };
        worker.postMessage(verb);
      });
    });
    t.after(() => assert.deepEqual(wrong, []));
    return page;
  }

  test('a database is kept there when it is asked for, remembered, and never made a second time', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      const db = await kith.inOpfs('films');
      const collection = await db.create('a', { text: {} });
      await collection.addMany(kith.documents(0, 100));
      await collection.add({ id: 'always' }, { durability: 'always' });
      await db.close();
      await (await kith.open('books')).close();
      const refusals = await Promise.all([
        () => kith.open('films'),
        () => kith.open('films', { storage: 'opfs' }),
        () => kith.openMemory({ storage: 'opfs' }),
      ].map(kith.refused));
      for (const [name, options] of [
        ['films', { storage: 'indexeddb' }], ['films', { shared: true }], ['films', { shared: true, storage: 'opfs' }],
        ['books', { storage: 'opfs' }], ['new', { storage: 'disk' }],
      ]) refusals.push(await kith.refused(() => kith.inWorker(name, options)));
      const again = await kith.inWorker('films');
      const { documents } = await again.collection('a').info();
      const { hits } = await again.collection('a').search({ text: 'number42' });
      await again.close();
      const names = (await indexedDB.databases()).map(({ name }) => name);
      return { refusals, documents, hits: hits.map(({ id }) => id), names };
    });
    assert.deepEqual(seen, {
      refusals: ['unsupported', 'unsupported', 'invalid_request', 'invalid_request', 'unsupported', 'unsupported', 'invalid_request', 'invalid_request'],
      documents: 101,
      hits: ['d42'],
      names: ['kithdb:books'],
    });
    const told = await page.evaluate(() => kith.open('films').catch(({ message, hint }) => [message, hint]));
    assert.match(told[0], /"films".*dedicated Worker/);
    assert.match(told[1], /worker: true/);
  });

  test('one of two databases of a name is not chosen behind the back of who opens it', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      await (await kith.inOpfs('films')).close();
      await new Promise((done) => { indexedDB.open('kithdb:films').onsuccess = ({ target }) => done(target.result.close()); });
      const codes = [await kith.refused(() => kith.inWorker('films'))];
      await (await kith.inOpfs('films')).close();
      return [...codes, await kith.deleteDatabase('films'), await kith.deleteDatabase('films')];
    });
    assert.deepEqual(seen, ['invalid_request', true, false]);
  });

  test('one tab at a time has it; it is deleted once nobody has, with any name', async (t) => {
    const [one, two] = [await openPage(t), await openPage(t)];
    const name = `../\u{1f40b}/${'x'.repeat(5000)}`;
    await one.evaluate(async (name) => {
      globalThis.db = await kith.inOpfs(name);
      await (await db.create('a')).add({ id: 'x' });
    }, name);
    const refusals = await two.evaluate(async (name) => {
      const all = [{ storage: 'opfs' }, {}, { shared: true }].map((options) => () => kith.inWorker(name, options));
      return Promise.all([...all, () => kith.deleteDatabase(name)].map(kith.refused));
    }, name);
    assert.deepEqual(refusals, Array(4).fill('database_locked'));
    await one.close();
    const seen = await two.evaluate(async (name) => {
      while ((await navigator.locks.query()).held.length > 0) await new Promise((later) => setTimeout(later, 10));
      const db = await kith.inWorker(name);
      const { documents } = await db.collection('a').info();
      await db.close();
      const deleted = [await kith.deleteDatabase(name), await kith.deleteDatabase(name)];
      const fresh = await kith.open(name);
      return { documents, deleted, collections: await fresh.collections() };
    }, name);
    assert.deepEqual(seen, { documents: 1, deleted: [true, false], collections: [] });
  });

  test('large blobs go through seals and merges, and the files of what is gone are used again', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      const db = await kith.inOpfs('films');
      const collection = await db.create('a', { text: {} });
      const files = [];
      for (let round = 0; round < 4; round += 1) {
        await collection.addMany(kith.documents(150 * round, 150, 20_000));
        await collection.seal();
        if (round % 2 === 1) await collection.optimize();
        files.push((await kith.ask('files')).length);
      }
      const before = await collection.search({ text: 'number477', vector: [1, 0, 0], k: 20 });
      await db.close();
      const again = await kith.inWorker('films');
      const stored = again.collection('a');
      const after = await stored.search({ text: 'number477', vector: [1, 0, 0], k: 20 });
      const { ballast } = (await stored.get('d599')).metadata;
      const { documents, segments } = await stored.info();
      const { clean, summary } = await again.verify();
      await again.drop('a');
      await again.close();
      const left = (await kith.ask('files')).filter(({ head }) => typeof head !== 'string').map(({ head }) => head);
      const isSame = JSON.stringify(before.hits) === JSON.stringify(after.hits);
      return { isSame, ballast: ballast === kith.documents(599, 1, 20_000)[0].metadata.ballast, documents, segments: segments.length ?? segments, clean, checked: summary.collections, files, left };
    });
    const { files, left, ...rest } = seen;
    assert.deepEqual(rest, { isSame: true, ballast: true, documents: 600, segments: 1, clean: true, checked: 1 });
    assert.ok(files[3] <= files[1] + 16, `${files}`);
    assert.ok(left.length > 0 && left.every(({ storage }) => storage === 0), JSON.stringify(left));
  });

  test('a torn end of a log is set aside, and what was written is there', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      const db = await kith.inOpfs('films');
      await (await db.create('a')).addMany(kith.documents(0, 50), { durability: 'always' });
      await db.close();
      const end = await kith.ask('tear');
      const again = await kith.inWorker('films');
      await again.collection('a').add({ id: 'later' }, { durability: 'always' });
      await again.close();
      const tails = (await kith.ask('files')).filter(({ head }) => head.kind === 'tail');
      const third = await kith.inWorker('films');
      const { documents } = await third.collection('a').info();
      await third.close();
      return { documents, tails: tails.map(({ head, size }) => [head.detail - end, size - 4096]) };
    });
    assert.deepEqual(seen, { documents: 51, tails: [[0, 11]] });
  });

  test('when the quota is reached a write is refused, what is stored stays, and writing goes on when there is room', async (t) => {
    const page = await openPage(t);
    const session = await context.newCDPSession(page);
    const quota = (quotaSize) => session.send('Storage.overrideQuotaForOrigin', { origin: site.origin, quotaSize });
    // Chromium reserves a MiB and more for each file that is open.
    await quota(20 * 2 ** 20);
    const before = await page.evaluate(async () => {
      globalThis.db = await kith.inOpfs('films');
      globalThis.collection = await db.create('a');
      let [stored, code] = [0, 'nothing was thrown'];
      for (; stored < 5000; stored += 20) {
        code = await kith.refused(() => collection.addMany(kith.documents(stored, 20, 20_000)));
        if (code !== 'nothing was thrown') break;
      }
      return { code, stored, documents: (await collection.info()).documents };
    });
    assert.equal(before.code, 'disk_full', JSON.stringify(before));
    assert.ok(before.stored > 0 && before.documents === before.stored, JSON.stringify(before));
    await quota(200 * 2 ** 20);
    const documents = await page.evaluate(async () => {
      await collection.addMany(kith.documents(2e6, 20, 20_000));
      await db.close();
      return (await (await kith.inWorker('films')).collection('a').info()).documents;
    });
    assert.equal(documents, before.documents + 20);
  });

  test('a database whose site data is cleared closes and says so; one of a later version is left as it is', async (t) => {
    const page = await openPage(t);
    await page.evaluate(async () => {
      globalThis.collection = await (await kith.inOpfs('films')).create('a');
    });
    const session = await context.newCDPSession(page);
    await session.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'file_systems' });
    const codes = await page.evaluate(async () => {
      const codes = [await kith.refused(() => collection.add({ id: 'x' }, { durability: 'always' })), await kith.refused(() => collection.get('x'))];
      const db = await kith.inOpfs('films');
      codes.push((await db.collections()).length);
      await db.create('a');
      await db.close();
      await kith.ask('later');
      const before = JSON.stringify(await kith.ask('files'));
      codes.push(await kith.refused(() => kith.inWorker('films')));
      return [...codes, JSON.stringify(await kith.ask('files')) === before];
    });
    assert.deepEqual(codes, ['storage_lost', 'closed', 0, 'unsupported_version', true]);
  });
});
