// A database whose engine runs in a Worker, in a real browser: the same interface, under the policy of a strict page.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { launchBrowser } from './browser.mjs';
import { STRICTEST, startSite } from './site.mjs';

/** The first example of a page of docs/ that mentions `what`. */
function example(name, what) {
  const page = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
  return [...page.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code).find((code) => code.includes(what));
}

describe('the engine in a Worker', () => {
  let browser;
  let site;
  let context;
  const modules = { modules: new URL('../js/wasm/', import.meta.url) };
  before(async () => {
    browser = await launchBrowser();
    site = await startSite('/browser/engine-page.mjs', modules);
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  /** An empty page with the engine in `globalThis.kith`; whatever is said against it fails the test. */
  async function openPage(t, { origin } = site, expected = /^$/) {
    const page = await context.newPage();
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => wrong.push(message.text()));
    await page.goto(origin);
    await page.waitForFunction(() => globalThis.kith);
    t.after(() => assert.deepEqual(wrong.filter((text) => !expected.test(text)), []));
    return page;
  }

  /** How many Workers with an engine there are, or will have been once they have ended. */
  const engines = (page) => page.evaluate(async () => {
    const { held } = await navigator.locks.query();
    return held.filter(({ name }) => name.startsWith('kithdb-worker:')).length;
  });

  async function ended(page) {
    while ((await engines(page)) > 0) await new Promise((again) => setTimeout(again, 10));
  }

  test('the example of the page runs, and what it stored is found without a Worker', async (t) => {
    const page = await openPage(t);
    const code = example('BROWSER.md', 'worker: true').replace("import { open } from 'kithdb';", 'const { open } = kith;');
    const found = await page.evaluate(`(async () => {\n${code}\nreturn hits.map(({ id }) => id); })()`);
    assert.deepEqual(found, ['alien']);
    await ended(page);
    const again = await page.evaluate(async () => (await (await kith.open('films')).collection('films').info()).documents);
    assert.equal(again, 3);
  });

  test('what memory the engine has taken is told, there and here', async (t) => {
    const page = await openPage(t);
    const taken = await page.evaluate(async () => {
      const all = [];
      for (const worker of [true, false]) {
        const db = await kith.openMemory({ worker });
        const { bytes } = await db.memory();
        await (await db.create('a')).addMany(kith.documents(0, 2000, 5000));
        all.push([bytes, (await db.memory()).bytes]);
        await db.close();
      }
      return all;
    });
    for (const [before, after] of taken) assert.ok(before >= 2 ** 16 && after >= before + 2000 * 5000, `${before} ${after}`);
  });

  test('answers and errors are those of the page', async (t) => {
    const page = await openPage(t);
    const [here, there] = await page.evaluate(async () => {
      const told = async (work) => {
        try {
          return await work();
        } catch ({ name, code, message, expected, got, position, hint }) {
          return { name, code, message, expected, got, position, hint };
        }
      };
      const all = (db) => {
        const a = () => db.collection('a');
        return [
          () => db.create('a', { text: {}, metric: 'euclidean' }).then(({ name }) => name),
          () => db.create('a'),
          () => db.create('b', { metric: 'none' }),
          () => a().addMany(kith.documents(0, 50)),
          () => a().add({ id: 'd1' }),
          () => a().add({ id: 'x', vector: [1] }),
          () => a().getMany(['d1', 'none']).then(([{ vector }, none]) => [[...vector], none]),
          () => a().search({ text: 'number7', vector: [1, 0, 0], k: 3, facets: ['n'], explain: true }),
          () => a().search({ filter: 'n >< 4' }),
          () => a().searchMany([{ text: 'number1' }, { vector: new Float32Array(3), k: 2 }]),
          () => a().page({ limit: 2 }).then(({ documents }) => documents.map(({ id }) => id)),
          () => a().graph.link({ source: 'd1', relation: 'near', target: 'd2' }),
          () => a().graph.edges({ id: 'd1' }).then(({ edges }) => edges.length),
          () => a().seal(),
          () => a().estimate({ sample: 10, queries: 5 }).then(({ vectors }) => vectors),
          () => a().export().then((file) => db.import('copy', file)).then((copy) => copy.info()).then((info) => info.documents),
          () => db.kv.set('k', 'v').then(() => db.kv.get('k')),
          () => db.kv.get('none'),
          () => db.stats().then((stats) => stats.map(({ name }) => name)),
          () => db.verify(),
          () => db.drop('none'),
        ].reduce(async (before, work) => [...(await before), await told(work)], []);
      };
      const one = await kith.openMemory();
      const two = await kith.openMemory({ worker: true });
      const both = [await all(one), await all(two)];
      await Promise.all([one.close(), two.close()]);
      return both;
    });
    assert.deepEqual(there, here);
  });

  test('a function that embeds stays in the page, and documents come as they are made', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      let asked = 0;
      // A closure, which could not be sent to a Worker.
      const embed = async (texts) => texts.map((text) => [text.includes('sea') ? ++asked : 0.1, 1]);
      const db = await kith.openMemory({ worker: true, embed });
      const quotes = await db.create('quotes', { text: {} });
      const told = [];
      async function* made() {
        for (const text of ['the sea', 'a hill', 'more sea']) yield { id: text, metadata: { text } };
      }
      const written = await quotes.load(made(), { batch: 2, onProgress: ({ done }) => told.push(done) });
      const { hits } = await quotes.search({ text: 'sea', explain: true, k: 1 });
      await db.close();
      return { asked, written, told, isNear: hits[0].explanation.vector !== null };
    });
    assert.deepEqual(seen, { asked: 3, written: { written: 3, replaced: 0 }, told: [2, 3], isNear: true });
  });

  test('jobs tell how far they are and are cancelled, and searches that nobody waits for are told as cancelled', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      const db = await kith.openMemory({ worker: true });
      const collection = await db.create('a');
      const wide = (document, n) => ({ ...document, vector: Array.from({ length: 192 }, (_, i) => Math.sin((n + 1) * (i + 1))) });
      await collection.addMany(kith.documents(0, 9900).map(wide));
      const told = [];
      const giveUp = new AbortController();
      const onProgress = ({ kind, done, total }) => {
        told.push([kind, done <= total]);
        giveUp.abort();
      };
      const code = await kith.refused(() => collection.optimize({ onProgress, signal: giveUp.signal }));
      const indexed = (await collection.info()).indexed;
      const typing = new AbortController();
      const searches = Array.from({ length: 50 }, () => collection.search({ text: 'x' }, { signal: typing.signal }));
      typing.abort();
      const cancelled = (await Promise.allSettled(searches)).filter(({ reason }) => reason?.code === 'cancelled').length;
      await db.close();
      return { code, first: told[0], indexed, cancelled };
    });
    assert.deepEqual(seen, { code: 'cancelled', first: ['optimize', true], indexed: 0, cancelled: 50 });
  });

  test('the Worker ends with its database, however that is closed', async (t) => {
    const page = await openPage(t);
    const codes = await page.evaluate(async () => {
      const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((name) => kith.open(name, { worker: true })));
      await Promise.all([one, two, three].map((db) => db.create('a')));
      const codes = [await kith.refused(() => kith.open('one', { worker: true })), await kith.refused(() => kith.open('one', { worker: 5 }))];
      two[Symbol.dispose]();
      await Promise.all([one.close(), one.close(), three[Symbol.asyncDispose]()]);
      await one.close();
      return [...codes, await kith.refused(() => one.collections()), await kith.refused(() => two.create('b'))];
    });
    assert.deepEqual(codes, ['database_locked', 'invalid_request', 'closed', 'closed']);
    await ended(page);
    const names = await page.evaluate(async () => (await (await kith.open('two')).collections()).map(({ name }) => name));
    assert.deepEqual(names, ['a']);
  });

  test('the end of a Worker is told, and what was acknowledged is there when it is opened again', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      const worker = new Worker('/kithdb/worker/worker.js', { type: 'module' });
      const db = await kith.open('films', { worker });
      const collection = await db.create('a');
      await collection.add({ id: 'kept' });
      const waiting = kith.refused(() => collection.addMany(kith.documents(0, 20_000)));
      worker.terminate();
      const codes = [await waiting, await kith.refused(() => collection.info())];
      await db.close();
      const again = await kith.open('films', { worker: true });
      const kept = (await again.collection('a').get('kept')).id;
      await again.close();
      return [...codes, kept];
    });
    assert.deepEqual(seen, ['worker_lost', 'closed', 'kept']);
  });

  test('an instance that runs out of memory in its Worker is made anew from what is stored', async (t) => {
    const page = await openPage(t);
    const seen = await page.evaluate(async () => {
      const { limited } = await import('/modules/limited.mjs');
      const bytes = new Uint8Array(await (await fetch('/kithdb/wasm/kithdb_wasm_bg.wasm')).arrayBuffer());
      const db = await kith.open('films', { worker: true, wasm: limited(bytes, 12 * 16) });
      const collection = await db.create('a');
      await collection.add({ id: 'kept' });
      const code = await kith.refused(() => collection.addMany(kith.documents(0, 20_000, 1000)));
      const { id } = await collection.get('kept');
      await collection.add({ id: 'later' });
      await db.close();
      return [code, id];
    });
    assert.deepEqual(seen, ['out_of_memory', 'kept']);
  });

  test('a page that may start no Worker is told what it needs', async (t) => {
    const none = await startSite('/browser/engine-page.mjs', {}, { 'content-security-policy': "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'" });
    const strictest = await startSite('/browser/engine-page.mjs', {}, STRICTEST);
    t.after(() => Promise.all([none.stop(), strictest.stop()]));
    for (const forbidding of [none, strictest]) {
      const page = await openPage(t, forbidding, /Content Security Policy|TrustedScriptURL|worker-src/);
      assert.equal(await page.evaluate(() => kith.refused(() => kith.open('films', { worker: true }))), 'worker_not_loaded');
    }
  });

  // Its script was another one, or had failed before anybody listened: the database was waited for without end.
  test('a Worker that was given and does not answer is not waited for without end', async (t) => {
    const page = await openPage(t, site, /404/);
    const codes = await page.evaluate(async () => {
      const { setTimeout: real } = globalThis;
      globalThis.setTimeout = (go, ms) => real(go, ms === 60_000 ? 200 : ms);
      // It loads, and says nothing.
      const others = new Worker('/kithdb/errors.js', { type: 'module' });
      const missing = new Worker('/browser/missing.mjs', { type: 'module' });
      await new Promise((failed) => missing.addEventListener('error', failed));
      return Promise.all([others, missing].map((worker) => kith.refused(() => kith.openMemory({ worker }))));
    });
    assert.deepEqual(codes, ['worker_not_loaded', 'worker_not_loaded']);
  });

  test('in a page that is isolated the Worker has threads', async (t) => {
    const page = await openPage(t);
    const modules = [];
    context.on('request', (request) => modules.push(new URL(request.url()).pathname));
    const isIndexed = await page.evaluate(async () => {
      const db = await kith.openMemory({ worker: true, threads: 3 });
      const collection = await db.create('a');
      await collection.addMany(kith.documents(0, 500));
      await collection.seal();
      const isDone = await collection.index();
      await db.close();
      return isDone;
    });
    const threads = existsSync(new URL('../../js/dist/wasm/threads/kithdb_wasm_bg.wasm', import.meta.url)) ? 'threads/' : '';
    assert.deepEqual([isIndexed, modules.filter((path) => path.endsWith('.wasm'))], [true, [`/kithdb/wasm/${threads}kithdb_wasm_bg.wasm`]]);
  });
});
