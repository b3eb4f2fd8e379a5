// The page in a real browser, against a stand-in for the server, under the policy the server sends.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import axe from 'axe-core';

import { launchBrowser } from './browser.mjs';
import { startMock } from './mock.mjs';
import { checkAccess, eventually, pagesOf } from './opened.mjs';

const GIRAFFE = 'very tall quadruped with a long neck that lives in Africa';
const ASKED = `#c=wordnet&q=${encodeURIComponent(GIRAFFE)}`;

describe('the page', () => {
  let browser;
  before(async () => { browser = await launchBrowser(); });
  after(() => browser?.close());

  const withPage = pagesOf(() => browser);
  const cards = (page) => page.locator('.card');
  const titles = (page) => page.locator('.card .title').allTextContents();
  const slide = (page, value) => page.locator('#alpha').fill(String(value));

  test('an example leads to results with title, text, matched words, score and reason', () => withPage({}, async (page) => {
    await page.getByRole('button', { name: GIRAFFE }).click();
    await eventually(async () => (await titles(page))[0], 'giraffe');
    const first = cards(page).first();
    await first.locator('mark').first().waitFor();
    assert.ok((await first.locator('mark').allTextContents()).includes('neck'));
    assert.equal(await first.locator('.score').textContent(), '1.000');
    const bar = await first.locator('.bar').getAttribute('aria-label');
    assert.equal(bar, 'score 1.000: 0.500 from meaning, 0.500 from words');
    assert.match(await first.locator('summary').textContent(), /1st by meaning.*1st by words: .*neck/);
    await first.locator('summary').click();
    const figures = /cosine distance 0\.31.*BM25.*117,791 documents/;
    // They are drawn when the browser has told that the reason was opened, a moment after the click.
    await eventually(async () => figures.test(await first.locator('.figures').textContent()), true);
    await eventually(() => page.locator('#spoken').textContent(), '10 results, the first is giraffe.');
  }));

  test('the slider asks again as it moves, at the pace of the answers, and keeps what is open', () => {
    const delayOf = ({ alpha }) => ({ 0: 1000 })[alpha] ?? 0;
    return withPage({ path: `/${ASKED}`, mock: { delayOf } }, async (page, { seen }) => {
      await eventually(async () => (await titles(page)).slice(0, 2), ['giraffe', 'okapi']);
      await cards(page).first().locator('summary').click();
      await slide(page, 0);
      await eventually(() => seen.at(-1).alpha, 0);
      for (const value of [0.25, 0.5, 0.75, 1]) await slide(page, value);
      assert.equal(seen.at(-1).alpha, 0, 'the next question waits for the answer');
      await eventually(() => seen.at(-1).alpha, 1);
      await eventually(async () => (await titles(page)).slice(0, 3), ['giraffe', 'okapi', 'gerenuk']);
      assert.match(await cards(page).first().locator('.figures').textContent(), /meaning counts 100 % and words 0 %/);
      assert.equal(new URL(page.url()).hash, `${ASKED.replaceAll('%20', '+')}&alpha=1`);
      await slide(page, 0);
      await eventually(async () => (await titles(page)).slice(0, 2).includes('neck'), true);
    });
  });

  test('an answer that comes after a later question is dropped', () => {
    const delayOf = ({ text }) => (text === 'quadruped' ? 600 : 0);
    return withPage({ path: '/#c=wordnet&alpha=0', mock: { delayOf } }, async (page, { seen }) => {
      await cards(page).first().waitFor();
      await page.fill('#text', 'quadruped');
      await eventually(() => seen.at(-1).text, 'quadruped');
      await page.fill('#text', 'pressure');
      await eventually(() => page.locator('.card mark').allTextContents(), ['pressure']);
      await page.waitForTimeout(700);
      assert.deepEqual(await page.locator('.card mark').allTextContents(), ['pressure']);
    });
  });

  test('a filter that cannot be read shows a caret where reading stopped and keeps the results', () =>
    withPage({ path: `/${ASKED}` }, async (page) => {
      await cards(page).first().waitFor();
      const filter = "lexical_file = 'noun.animal' AND";
      await page.fill('#filter', filter);
      const spot = page.locator('#filter-error .spot');
      await spot.waitFor();
      assert.equal(await spot.getAttribute('data-before'), filter);
      assert.match(await page.locator('#filter-error p').textContent(), /At character 33: Expected a comparison/);
      assert.equal(await page.locator('#filter').getAttribute('aria-invalid'), 'true');
      assert.equal(await cards(page).count(), 10);
      await page.fill('#filter', "lexical_file = 'noun.animal'");
      await eventually(() => cards(page).count(), 7);
      assert.equal(await page.locator('#filter-error').textContent(), '');
    }));

  test('a fact that is clicked becomes a filter, and Back takes it away', () => withPage({ path: `/${ASKED}` }, async (page) => {
    await cards(page).first().waitFor();
    await page.getByRole('button', { name: 'noun.plant' }).click();
    await eventually(() => titles(page), ['baobab']);
    assert.equal(await page.inputValue('#filter'), "lexical_file = 'noun.plant'");
    await page.goBack();
    await eventually(() => cards(page).count(), 10);
    assert.equal(await page.inputValue('#filter'), '');
  }));

  test('a field that no document has is warned about, and the way out is one click', () =>
    withPage({ path: `/${ASKED}&filter=year+%3D+1990` }, async (page) => {
      await eventually(() => page.locator('.warning').allTextContents(), ['No document has a field "year".']);
      await page.getByRole('button', { name: 'Search without the filter' }).click();
      await eventually(() => cards(page).count(), 10);
    }));

  test('what a database holds is text and never markup', () => withPage({ path: '/#c=hostile&q=neck' }, async (page) => {
    await eventually(() => titles(page), ['<script>alert(1)</script>']);
    assert.equal(await page.locator('.list script, .list img, .list b:not(.side b)').count(), 0);
    await page.getByRole('button', { name: "O'Neill" }).click();
    await eventually(() => page.inputValue('#filter'), "`it's odd` = 'O''Neill'");
    await eventually(() => titles(page), ['<script>alert(1)</script>']);
  }));

  test('a collection without text is searched by a pasted vector', () => withPage({ path: '/#c=vectors' }, async (page) => {
    await eventually(() => page.locator('#text').isDisabled(), true);
    await page.fill('#vector', '[1, 2');
    await eventually(() => page.locator('#vector-error').textContent(), 'This is not a JSON array of numbers, such as [0.1, -0.2].');
    await page.fill('#vector', '[1, 2, 3]');
    await eventually(() => page.locator('#vector-error').textContent(), 'Vector dimension mismatch: expected 4, got 3.');
    await page.fill('#vector', '[1, 2, 3, 4]');
    await eventually(async () => (await page.locator('.side').allTextContents())[0], '1st by meaning');
    assert.equal((await titles(page))[0], 'giraffe');
  }));

  test('a database without a collection, and a collection that is not there, say what to do', async () => {
    await withPage({ mock: { names: [] } }, async (page) => {
      await page.getByText('kithdb load').waitFor();
      await page.getByText('/v1/collections/notes/documents').waitFor();
    });
    const lost = { name: 'lost', code: 'unopenable', message: 'collection "lost" cannot be opened: rows', hint: 'restore it' };
    await withPage({ mock: { names: ['wordnet'], unopenable: [lost] } }, async (page) => {
      await page.getByText('Collection "lost" cannot be opened: rows. Restore it.').waitFor();
      await cards(page).first().waitFor();
    });
    await withPage({ path: '/#c=nope' }, async (page) => {
      await page.getByText('There is no collection nope').waitFor();
      await page.getByRole('button', { name: 'wordnet' }).click();
      await eventually(() => page.locator('#facts').textContent(), '117,791 documents');
    });
  });

  test('a server that is gone is said so, and tried again', () => withPage({}, async (page, mock) => {
    await cards(page).first().waitFor();
    await mock.stop();
    await page.fill('#text', 'giraffe');
    await page.getByText('The server does not answer').waitFor();
    const again = await startMock({ port: Number(new URL(mock.origin).port) });
    try {
      await page.getByRole('button', { name: 'Try again' }).click();
      await cards(page).first().waitFor();
    } finally {
      await again.stop();
    }
  }));

  test('all of it works from the keyboard, and a search can be taken to a terminal', () => {
    const permissions = ['clipboard-read', 'clipboard-write'];
    return withPage({ path: `/${ASKED}`, permissions }, async (page, { origin }) => {
      await cards(page).first().waitFor();
      await page.locator('#code').click();
      await eventually(() => page.locator('#code').textContent(), 'Copied');
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.ok(copied.startsWith(`curl -s '${origin}/v1/collections/wordnet/search'`), copied);
      assert.ok(copied.includes(`"text":"${GIRAFFE}"`), copied);
      await page.keyboard.press('/');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'text');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await cards(page).nth(1).locator('.figures table').first().waitFor();
    });
  });

  test('no accessibility rule is broken, light or dark', async () => {
    for (const hash of ['', ASKED, `${ASKED}&k=11`, '#c=vectors', '#c=nope']) {
      await withPage({ path: `/${hash}` }, async (page) => {
        await page.locator('.card, .notice').first().waitFor();
        if (hash === ASKED) await cards(page).first().locator('summary').click();
        if (hash.endsWith('k=11')) {
          await page.fill('#filter', 'a');
          await page.locator('.spot').waitFor();
        }
        await checkAccess(page, axe.source, hash);
      });
    }
  });
});
