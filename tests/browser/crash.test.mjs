// What was acknowledged in a tab is there after its renderer, or the whole browser, was killed in the middle of writing,
// before anything was closed.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchProfile } from './browser.mjs';
import { startSite } from './site.mjs';

const KILLS = Number(process.env.KITH_KILLS ?? 20);

let site;
before(async () => { site = await startSite('/browser/crash-page.mjs'); });
after(() => site?.stop());

/** What the writers of all rounds were told. */
function witness() {
  const acknowledged = new Set();
  const deleted = new Set();
  const watch = async (page) => {
    await page.exposeFunction('acknowledged', (ids) => ids.forEach((id) => acknowledged.add(id)));
    await page.exposeFunction('deleted', (id) => deleted.add(id));
    await page.goto(site.origin);
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

async function rounds(kill, told) {
  const profile = mkdtempSync(join(tmpdir(), 'kithdb-profile-'));
  const seen = witness();
  let browser = await launchProfile(profile);
  try {
    for (let round = 1; round <= KILLS; round += 1) {
      const page = await seen.watch(await browser.context.newPage());
      await writeFor(page, round, seen);
      browser = await kill(browser, page, profile);
      const checking = await seen.watch(await browser.context.newPage());
      await seen.check(checking, round);
      await checking.close();
    }
    told.diagnostic(`${KILLS} kills, ${seen.acknowledged.size} acknowledged writes, none lost`);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

test(`nothing acknowledged is lost when the renderer is killed ${KILLS} times`, (t) =>
  rounds(async (browser, page) => {
    const session = await browser.context.newCDPSession(page);
    const crashed = page.waitForEvent('crash');
    session.send('Page.crash').catch(() => {});
    await crashed;
    await page.close();
    return browser;
  }, t));

test(`nothing acknowledged is lost when the browser is killed ${KILLS} times`, (t) =>
  rounds(async (browser, _, profile) => {
    await browser.kill();
    return launchProfile(profile);
  }, t));
