// What was acknowledged in a tab is there after its renderer, or the whole browser, was killed in the middle of writing,
// before anything was closed.

import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchProfile } from './browser.mjs';
import { startSite } from './site.mjs';

const KILLS = Number(process.env.KITH_KILLS ?? 20);

let site;
before(async () => { site = await startSite('/browser/crash-page.mjs'); });
after(() => site?.stop());

/** What the writers of all rounds were told; `query` says where the database is. */
function witness(query) {
  const acknowledged = new Set();
  const deleted = new Set();
  const watch = async (page) => {
    await page.exposeFunction('acknowledged', (ids) => ids.forEach((id) => acknowledged.add(id)));
    await page.exposeFunction('deleted', (id) => deleted.add(id));
    await page.goto(`${site.origin}/${query}`);
    await page.waitForFunction(() => globalThis.isReady);
    return page;
  };
  const check = async (page, round) => {
    const [there, gone] = [[...acknowledged].filter((id) => !deleted.has(id)), [...deleted]];
    const { missing, left, documents, scanned } = await page.evaluate(([a, b]) => globalThis.check(a, b), [there, gone]);
    // A delete may have been done whose answer was lost on its way here: it was of a document that was acknowledged.
    const unexplained = missing.filter((id) => !/-0$/.test(id));
    assert.deepEqual(unexplained, [], `round ${round}: acknowledged and gone`);
    assert.ok(missing.length <= 2 * round, `round ${round}: ${missing} are gone, and each writer deletes one at a time`);
    assert.deepEqual(left, [], `round ${round}: deleted and there`);
    assert.equal(documents, scanned);
    missing.forEach((id) => deleted.add(id));
  };
  return { acknowledged, watch, check };
}

/** Lets the writers work for a random while after their first acknowledgement of this round. */
async function writeFor(page, round, { acknowledged }) {
  const before = acknowledged.size;
  page.evaluate((number) => globalThis.writeWithoutEnd(number), round).catch(() => {});
  while (acknowledged.size === before) await new Promise((go) => setTimeout(go, 5));
  await new Promise((go) => setTimeout(go, Math.random() * 300));
}

async function rounds(kills, kill, told, query = '') {
  const profile = mkdtempSync(join(tmpdir(), 'kithdb-profile-'));
  const seen = witness(query);
  let browser = await launchProfile(profile);
  try {
    for (let round = 1; round <= kills; round += 1) {
      const page = await seen.watch(await browser.context.newPage());
      await writeFor(page, round, seen);
      browser = await kill(browser, page, profile);
      const checking = await seen.watch(await browser.context.newPage());
      await seen.check(checking, round);
      await checking.close();
    }
    told.diagnostic(`${kills} kills, ${seen.acknowledged.size} acknowledged writes, none lost`);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function killRenderer(browser, page) {
  const session = await browser.context.newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  session.send('Page.crash').catch(() => {});
  await crashed;
  await page.close();
  return browser;
}

async function killBrowser(browser, _, profile) {
  await browser.kill();
  return launchProfile(profile);
}

test(`nothing acknowledged is lost when the renderer is killed ${KILLS} times`, (t) => rounds(KILLS, killRenderer, t));

test(`nothing acknowledged is lost when the browser is killed ${KILLS} times`, (t) => rounds(KILLS, killBrowser, t));

const FEW = Math.ceil(KILLS / 8);
for (const [what, kill] of [['renderer', killRenderer], ['browser', killBrowser]]) {
  test(`nothing acknowledged is lost in the origin private file system when the ${what} is killed ${FEW} times`, (t) =>
    rounds(FEW, kill, t, '?opfs'));
}

// Once in a few hundred kills everything that the origin had stored was gone: Chromium's LevelDB writes behind half a
// record when it starts, and takes that for damage at the next start.
test('nothing acknowledged is lost when kills of the browser leave half a record in its own log', (t) =>
  rounds(3, async (browser, _, profile) => {
    await browser.kill();
    const folder = join(profile, 'Default', 'IndexedDB');
    leaveHalfARecord(join(folder, readdirSync(folder).find((name) => name.endsWith('.leveldb'))));
    return launchProfile(profile);
  }, t));

// There it was what had been made since: the list of the origin's files is in a LevelDB, too.
test('no collection is lost in the origin private file system when kills leave half a record in its list of files', async () => {
  const profile = mkdtempSync(join(tmpdir(), 'kithdb-profile-'));
  let browser = await launchProfile(profile);
  try {
    for (const made of [[], ['c0'], ['c0', 'c1']]) {
      const page = await browser.context.newPage();
      await page.goto(`${site.origin}/?opfs`);
      await page.waitForFunction(() => globalThis.isReady);
      assert.deepEqual(await page.evaluate((name) => globalThis.make(name), `c${made.length}`), made);
      await browser.kill();
      leaveHalfARecord(join(profile, 'Default', 'File System', '000', 't', 'Paths'));
      browser = await launchProfile(profile);
    }
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});

/** LevelDB writes the head of a record by one call and what it holds by the next; this is a kill between the two. */
function leaveHalfARecord(store) {
  const [BLOCK, HEAD] = [32_768, 7];
  const log = readdirSync(store).filter((name) => name.endsWith('.log')).sort().at(-1);
  const left = BLOCK - (statSync(join(store, log)).size % BLOCK);
  // What is too small for a record at the end of a block is filled with zeros.
  const padding = Buffer.alloc(left > HEAD ? 0 : left);
  const head = Buffer.alloc(HEAD, 0xee);
  head.writeUInt16LE(Math.min(80, (left > HEAD ? left : BLOCK) - HEAD), 4);
  head.writeUInt8(1, 6); // A record that lies in one block.
  appendFileSync(join(store, log), Buffer.concat([padding, head]));
}
