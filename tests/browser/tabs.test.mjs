// Several tabs with one database: one has it open, the others ask it, and another one takes its place when it goes.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { VERSION } from '../../js/dist/rpc/version.js';
import { launchPiped } from './pipe.mjs';
import { startSite } from './site.mjs';
import { fourPages, later, openTab, until, writerOf } from './tabs.mjs';

const ROUNDS = Number(process.env.KITH_TAB_ROUNDS ?? 6);

describe('several tabs', () => {
  let browser;
  let site;
  let context;
  before(async () => {
    browser = await launchPiped();
    site = await startSite('/browser/tabs-page.mjs');
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
  });
  beforeEach(async () => {
    context = await browser.context();
  });
  afterEach(() => context.close());

  /** A page that shares the database; the collection is its `joined.collection`. */
  async function joined({ isLooking = false, ...options } = {}) {
    const page = await openTab(context, site.origin);
    if (isLooking) await page.evaluate(() => tab.hurry(true));
    await page.evaluate(async (how) => { globalThis.joined = await tab.join(how); }, options);
    return page;
  }

  const add = (page, id) => page.evaluate((name) => joined.collection.add({ id: name, metadata: { text: `words of ${name}` } }).then(() => true), id);
  const ids = (page) => page.evaluate(async () => (await tab.everything(joined.collection)).ids);

  /** Another tab is told of a write by a message, which may be under way. */
  async function sees(page, expected) {
    for (let looks = 0; looks < 200 && (await ids(page)).length < expected.length; looks += 1) await later(20);
    assert.deepEqual(await ids(page), expected);
  }

  test('all of them read and write, whoever has it open', async () => {
    const [one, two] = [await joined(), await joined()];
    await add(one, 'first');
    await add(two, 'second');
    for (const page of [one, two]) await sees(page, ['first', 'second']);
    assert.equal(await writerOf([one, two]), one);
    const answers = await two.evaluate(async () => {
      const { db, collection } = joined;
      const { hits } = await collection.search({ text: 'words second' });
      await db.kv.set('k', 'v');
      const copy = await db.import('copy', await collection.export());
      const codes = [await tab.refused(() => collection.add({ id: 'first' })), await tab.refused(() => db.collection('none').info())];
      return [hits.map(({ id }) => id), await collection.seal(), (await copy.info()).documents, ...codes, await tab.refused(() => tab.open('films'))];
    });
    assert.deepEqual(answers, [['second', 'first'], true, 2, 'document_exists', 'unknown_collection', 'database_locked']);
    await one.evaluate(() => joined.db.close());
    await add(two, 'third');
    assert.deepEqual([await ids(two), await two.evaluate(() => joined.db.kv.get('k'))], [['first', 'second', 'third'], 'v']);
    assert.equal(await writerOf([one, two]), two);
    const alone = await two.evaluate(async () => {
      await joined.db.close();
      const closed = await tab.refused(() => joined.collection.info());
      const db = await tab.open('films');
      const codes = [closed, await tab.refused(() => tab.join())];
      await db.close();
      return codes;
    });
    assert.deepEqual(alone, ['closed', 'database_locked']);
  });

  test('a follower reads its own copy, sees what it wrote at once, and what others wrote a moment later', async () => {
    const looking = { isLooking: true };
    const [one, two, three] = [await joined(looking), await joined(looking), await joined({ ...looking, worker: true })];
    await add(one, 'first');
    const alone = (page) => until(() => page.evaluate(() => tab.readsAlone(joined.collection)));
    for (const page of [two, three]) await sees(page, ['first']);
    await alone(two);
    for (const id of ['second', 'third', 'fourth']) {
      const seen = await two.evaluate(async (name) => {
        const { collection } = joined;
        const write = collection.add({ id: name, vector: [1, 2], metadata: { text: `words of ${name}` } });
        // Asked for before the answer: it is begun after the write.
        const meanwhile = (await collection.get(name)).id;
        await write;
        const { hits } = await collection.search({ text: name });
        return [meanwhile, (await collection.get(name)).id, hits[0].id];
      }, id);
      assert.deepEqual(seen, [id, id, id]);
      // A bulk import, a seal and a merge are read again.
      if (id === 'third') await one.evaluate(async () => { await joined.collection.seal(); await joined.collection.merge(); });
      await alone(two);
    }
    for (const page of [one, two, three]) await sees(page, ['first', 'second', 'third', 'fourth']);
    await alone(two);
    // Nobody is there to be asked.
    await one.setPaused(true);
    const { hits } = await two.evaluate(() => joined.collection.search({ vector: [1, 2] }));
    assert.equal(hits.length, 3);
    await one.setPaused(false);
  });

  // The next writer was elected before the refusals of the last one had come: writes were told as of unknown outcome.
  test('writes that meet a writer that closes are done by the next one', async () => {
    const pages = [await joined(), await joined()];
    for (let round = 0; round < 8; round += 1) {
      const [writer, other] = round % 2 === 0 ? pages : [pages[1], pages[0]];
      const left = writer.evaluate(async () => {
        await joined.db.close();
        globalThis.joined = await tab.join();
      });
      const asked = other.evaluate(async (prefix) => {
        const names = Array.from({ length: 20 }, (_, n) => `${prefix}-${n}`);
        await Promise.all(names.map(async (id, n) => {
          await new Promise((go) => setTimeout(go, n));
          await joined.collection.add({ id, metadata: { text: `words of ${id}` } });
        }));
      }, `round-${round}`);
      await Promise.all([left, asked]);
    }
    assert.equal((await ids(pages[0])).length, 8 * 20);
  });

  test('with the engine in Workers, and several of one page, it is the same', async () => {
    const [one, two] = [await joined({ worker: true }), await joined({ worker: true })];
    await two.evaluate(async () => { globalThis.other = await tab.join(); });
    await add(two, 'first');
    await one.evaluate(() => joined.db.close());
    await add(two, 'second');
    const seen = await two.evaluate(async () => (await tab.everything(other.collection)).ids);
    assert.deepEqual(seen, ['first', 'second']);
  });

  /** Everybody goes on after the first of three pages has been away, and all see the same. */
  async function allGoOn([one, two, three], expected) {
    await ids(three);
    await add(three, 'after');
    assert.notEqual(await writerOf([two, three]), undefined);
    return async () => {
      await add(one, 'back');
      for (const page of [one, two, three]) await sees(page, [...expected, 'after', 'back']);
      assert.notEqual(await writerOf([two, three]), undefined, 'the one that was away follows now');
    };
  }

  test('a page that is frozen leaves the database to another one at once', async () => {
    const pages = [await joined(), await joined(), await joined()];
    const [one, two, three] = pages;
    await add(two, 'before');
    await one.setFrozen(true);
    await until(async () => (await writerOf([two, three])) !== undefined);
    // A write may still go to the page that was frozen, and is told as of unknown outcome where that is slow to refuse it. Who has
    // read has been answered by the next writer.
    await ids(two);
    await add(two, 'meanwhile');
    const back = await allGoOn(pages, ['before', 'meanwhile']);
    await one.setFrozen(false);
    await back();
  });

  test('a writer that says nothing is followed by another; what it was asked is told as unknown, or asked again', async () => {
    // One that is slow for a second, as on a busy machine, is not to be taken for silent by anybody before or afterwards.
    const looking = { isLooking: true };
    const pages = [await joined(looking), await joined(looking), await joined(looking)];
    const [one, two] = pages;
    await add(two, 'before');
    await one.evaluate(() => tab.settled(joined));
    await one.setPaused(true);
    const answers = await two.evaluate(async () => {
      tab.hurry();
      const { collection } = joined;
      const write = tab.refused(() => collection.add({ id: 'asked', metadata: { text: 'words of asked' } }));
      const read = collection.get('before');
      const answered = [await write, (await read).id];
      tab.hurry(true);
      return answered;
    });
    assert.deepEqual(answers, ['outcome_unknown', 'before']);
    const back = await allGoOn(pages, ['before']);
    await one.setPaused(false);
    await back();
  });

  // It looked for the next writer while it let go of the database, where it hears nobody, and did not look again afterwards.
  test('a writer that was followed by another one finds that, however long it takes to close', async () => {
    const looking = { isLooking: true };
    const [one, two] = [await joined(looking), await joined(looking)];
    await one.evaluate(() => tab.settled(joined));
    await one.setPaused(true);
    await two.evaluate(async () => {
      tab.hurry();
      await tab.refused(() => joined.collection.add({ id: 'asked' }));
      await joined.collection.info();
      tab.hurry(true);
      // What the first one was asked waits behind this, and its end for that.
      await tab.keepBusy(1000);
    });
    await one.setPaused(false);
    // By now it knows, and is at it.
    await later(300);
    await add(one, 'back');
    assert.equal(await writerOf([one, two]), two);
  });

  // The new store began with the first epoch again: the others took its writer for one of before, and its place from it.
  test('a database that is deleted begins anew, with one writer that all of them follow', async () => {
    const pages = [await joined(), await joined(), await joined()];
    const [one, two, three] = pages;
    for (const page of pages) await page.evaluate(() => joined.db.close());
    for (const page of pages) await page.evaluate(async () => { globalThis.joined = await tab.join(); });
    await add(two, 'before');
    await one.evaluate(() => new Promise((done) => { indexedDB.deleteDatabase('kithdb:films').onsuccess = done; }));
    assert.equal(await one.evaluate(() => tab.refused(() => joined.collection.info())), 'closed');
    await two.evaluate(async () => { globalThis.joined.collection = await joined.db.create('a', { text: {} }); });
    const writer = await writerOf([two, three]);
    for (const id of ['a', 'b', 'c']) {
      for (const page of [two, three]) await add(page, `${id}-${pages.indexOf(page)}`);
      assert.equal(await writerOf([two, three]), writer, 'nobody takes its place');
    }
    assert.deepEqual(await ids(three), ['a-1', 'a-2', 'b-1', 'b-2', 'c-1', 'c-2']);
  });

  test('a tab of another version is told so, and the others go on', async () => {
    const [one, two] = [await joined(), await joined()];
    await add(two, 'first');
    const said = await two.evaluate(async (newer) => {
      const channel = new BroadcastChannel('kithdb:films:tabs');
      const answered = new Promise((done) => (channel.onmessage = ({ data }) => done(data)));
      channel.postMessage({ version: newer, hello: 'newer' });
      const { version, to } = await answered;
      channel.postMessage({ version: newer, writer: 1000 });
      channel.close();
      return { version, to };
    }, VERSION + 1);
    assert.deepEqual(said, { version: VERSION, to: 'newer' });
    // As if the other one had become the writer: who follows cannot.
    await until(() => two.evaluate(async () => (await tab.refused(() => joined.collection.info())) === 'closed'));
    const cause = await two.evaluate(() => joined.collection.info().catch((error) => error.cause.code));
    assert.equal(cause, 'unsupported_version');
    await add(one, 'second');
  });

  test(`nothing acknowledged is lost while pages are closed, crashed and frozen ${ROUNDS} times`, async (t) => {
    const figures = await fourPages({ context, origin: site.origin, goesOn: (round) => round < ROUNDS });
    t.diagnostic(JSON.stringify(figures));
    assert.ok(figures.acknowledged > 0 && figures.writers > 0);
  });
});
