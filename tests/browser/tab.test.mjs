// Searching in the tab, in a real browser, against stand-ins for the server and for the engine: the switch, copying,
// what is told when something fails, and what works without the server.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import axe from 'axe-core';

import { launchBrowser } from './browser.mjs';
import { startMock } from './mock.mjs';
import { checkAccess, eventually, pagesOf } from './opened.mjs';

const TALL = 'very tall quadruped with a long neck that lives in Africa';
const TAB = '/ui/?in=tab';

describe('the page in the tab', () => {
  let browser;
  before(async () => { browser = await launchBrowser(); });
  after(() => browser?.close());

  const withPage = pagesOf(() => browser);
  const cards = (page) => page.locator('.card');
  const titles = (page) => page.locator('.card .title').allTextContents();
  const facts = (page) => page.locator('#facts').textContent();
  const switchTo = (page, place) => page.locator(`label[for=place-${place}]`).click();
  const press = (page, name) => page.getByRole('button', { name }).click();

  /** Copies a collection, as the form offers it or as `how` says. */
  async function copy(page, { name = 'wordnet', filters, most, isWhole = false } = {}) {
    await page.locator('#copy-name').selectOption(name);
    if (isWhole) await page.locator('#copy-all').check();
    if (filters !== undefined) await page.fill('#copy-filters', filters);
    if (most !== undefined) await page.fill('#copy-most', String(most));
    await press(page, 'Copy into this tab');
  }

  /** Opens the tab's side and copies, until the results are there. */
  async function withCopy(page, how) {
    await switchTo(page, 'tab');
    await copy(page, how);
    await cards(page).first().waitFor();
  }

  /** Once the service worker has kept the page. */
  const kept = (page) => eventually(() => page.evaluate(async () => {
    const names = await caches.keys();
    const complete = await Promise.all(names.map(async (name) => (await caches.open(name)).match('/ui/files.json')));
    return complete.some(Boolean);
  }), true);

  test('a part is copied and searched with the same controls, and nothing leaves the page meanwhile', () => {
    const permissions = ['clipboard-read', 'clipboard-write'];
    return withPage({ permissions }, async (page, mock) => {
      await cards(page).first().waitFor();
      await switchTo(page, 'tab');
      await page.locator('#copy-filters').waitFor();
      assert.match(await page.inputValue('#copy-filters'), /^lexical_file = 'noun\.animal'\n/);
      await copy(page);
      await eventually(() => facts(page), 'wordnet 8 documents');
      assert.equal(mock.seen.filter(({ with_vector: asked }) => asked).length, 0, 'the texts are embedded in the tab');
      await kept(page);
      const asked = mock.requests.length;
      await press(page, TALL);
      await eventually(async () => (await titles(page)).slice(0, 2), ['giraffe', 'okapi']);
      await cards(page).first().locator('summary').click();
      // They are drawn when the browser says that they are shown, which may be after the click has returned.
      const figures = cards(page).first().locator('.figures');
      await eventually(async () => /cosine distance 0\.31.*BM25/.test(await figures.textContent()), true);
      await page.locator('#alpha').fill('1');
      await eventually(() => page.locator('#alpha-value').textContent(), '100 %');
      await page.fill('#filter', "lexical_file = 'noun.plant'");
      await eventually(() => titles(page), ['baobab']);
      await page.locator('#code').click();
      const code = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(code, /^const collection = database\.collection\('wordnet'\);\nawait collection\.search\(\{\n/);
      assert.match(code, /\n {2}text: 'very tall quadruped[^']*',\n {2}filter: 'lexical_file = \\'noun\.plant\\'',\n/);
      assert.deepEqual(mock.requests.slice(asked), []);
    });
  });

  test('the place stands in the address: a reload and Back come to it', () => withPage({}, async (page) => {
    await withCopy(page, { filters: "lexical_file = 'noun.animal'" });
    await eventually(() => facts(page), 'wordnet 7 documents');
    assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, TAB);
    await page.fill('#text', 'neck');
    await eventually(() => new URL(page.url()).hash, '#c=wordnet&q=neck');
    await page.reload();
    await eventually(async () => (await titles(page))[0], 'giraffe');
    assert.equal(await page.locator('#place-tab').isChecked(), true);
    await switchTo(page, 'server');
    await eventually(async () => (await facts(page)).trim(), '117,791 documents');
    assert.equal(await page.inputValue('#text'), 'neck');
    await page.goBack();
    await eventually(() => facts(page), 'wordnet 7 documents');
    await eventually(async () => (await titles(page))[0], 'giraffe');
  }));

  test('with the server away the page still loads and searches, and says so calmly', () =>
    withPage({}, async (page, mock) => {
      await withCopy(page);
      await kept(page);
      await page.getByText('Searched inside this tab').waitFor();
      await mock.stop();
      await page.reload();
      await page.getByText('The server is not reachable. What is in this tab is searched all the same.').waitFor();
      await page.fill('#text', TALL);
      await eventually(async () => (await titles(page))[0], 'giraffe');
      await press(page, 'Copy another');
      await page.getByText('The server does not answer').waitFor();
      await press(page, 'Not now');
      await page.goto(`${mock.origin}/ui/`);
      await eventually(() => facts(page), 'wordnet 8 documents');
      assert.equal(new URL(page.url()).search, '?in=tab', 'without the server it opens in the tab');
      await switchTo(page, 'server');
      await page.getByText('The server does not answer').waitFor();
      const again = await startMock({ port: Number(new URL(mock.origin).port) });
      try {
        await press(page, 'Try again');
        await eventually(async () => (await facts(page)).trim(), '117,791 documents');
      } finally {
        await again.stop();
      }
    }));

  test('a new version of the page replaces what is kept of the old one', () => withPage({}, async (page, mock) => {
    await withCopy(page);
    await kept(page);
    const names = () => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('kithdb-page-')));
    assert.deepEqual(await names(), ['kithdb-page-mock']);
    mock.version = 'next';
    await page.reload();
    await eventually(names, ['kithdb-page-next']);
    await mock.stop();
    await page.reload();
    await cards(page).first().waitFor();
  }));

  test('several filters take each document once, and no more than was asked for', () => withPage({}, async (page, mock) => {
    const filters = "lexical_file = 'noun.animal'\n\nlexical_file = 'noun.plant'\npart_of_speech = 'noun'";
    await withCopy(page, { filters });
    await eventually(() => facts(page), 'wordnet 12 documents');
    const from = mock.seen.length;
    await press(page, 'Copy another');
    await page.getByText('It replaces the wordnet that is in this tab.').waitFor();
    await copy(page, { filters: '', most: 5 });
    await eventually(() => facts(page), 'wordnet 5 documents');
    assert.deepEqual(mock.seen.slice(from), [{ k: 5, offset: 0 }]);
  }));

  test('a filter that cannot be read is shown where it is written, and nothing is lost', () => withPage({}, async (page) => {
    await switchTo(page, 'tab');
    await copy(page, { filters: "lexical_file = 'noun.animal'\nlexical_file =" });
    await page.locator('#copy-filters-error .spot').waitFor();
    assert.equal(await page.locator('#copy-filters-error .spot').getAttribute('data-before'), 'lexical_file =');
    await page.fill('#copy-filters', "lexical_file = 'noun.animal'");
    assert.equal(await page.locator('#copy-filters-error').textContent(), '');
    await press(page, 'Copy into this tab');
    await eventually(() => facts(page), 'wordnet 7 documents');
  }));

  test('all of a collection comes as one file, and one without an embedder with its vectors', () =>
    withPage({}, async (page, mock) => {
      await withCopy(page, { isWhole: true });
      await eventually(() => facts(page), 'wordnet 12 documents');
      assert.ok(mock.requests.includes('/v1/collections/wordnet/export'));
      await press(page, 'Copy another');
      const from = mock.seen.length;
      await copy(page, { name: 'vectors' });
      await eventually(() => page.locator('#chooser').inputValue(), 'vectors');
      assert.equal(mock.seen[from].with_vector, true);
      const work = page.locator('.tab-work');
      await eventually(() => work.textContent(), ' Indexing 12 documents: until then every one is compared.');
      await page.fill('#vector', '[1, 2, 3, 4]');
      await eventually(async () => (await page.locator('.side').allTextContents())[0], '1st by meaning');
      await page.evaluate(() => new BroadcastChannel('mock-index').postMessage('end'));
      await eventually(() => work.textContent(), '');
      await page.locator('#chooser').selectOption('wordnet');
      await eventually(async () => (await facts(page)).trim(), '12 documents');
    }));

  test('a copy is shown by its phases and can be cancelled, and then nothing of it stays', () => {
    const delayOf = ({ filter, k }) => (filter === "lexical_file = 'noun.plant'" && k > 10 ? 60_000 : 0);
    return withPage({ mock: { delayOf } }, async (page) => {
      await switchTo(page, 'tab');
      await copy(page);
      await page.locator('.phases li:not(.ended) .phase-count', { hasText: /^7$/ }).waitFor();
      assert.match(await page.locator('.phases li.ended').textContent(), /^Getting the embedder.*MB$/);
      await press(page, 'Cancel');
      await page.locator('#copy-name').waitFor();
      assert.equal(await page.locator('.progress').count(), 0);
      await copy(page, { filters: "lexical_file = 'noun.animal'" });
      await eventually(() => facts(page), 'wordnet 7 documents');
    });
  });

  for (const [code, title, way] of [
    ['disk_full', 'There is no room left', /Remove a collection from this tab or free space/],
    ['out_of_memory', 'The engine fails as it was asked to', /copy fewer documents, or close other tabs/],
  ]) {
    test(`${code} is told with what to do, and what was there before stays`, () => {
      const names = ['wordnet', code];
      return withPage({ mock: { names } }, async (page) => {
        await withCopy(page);
        await press(page, 'Copy another');
        await copy(page, { name: code });
        await page.getByRole('heading', { name: title }).waitFor();
        assert.match(await page.locator('.notice.error').textContent(), way);
        await eventually(() => facts(page), 'wordnet 8 documents');
        await press(page, 'Try again');
        await copy(page, { name: code, most: 12 });
        await eventually(() => page.locator('#chooser').inputValue(), code);
      });
    });
  }

  test('what another tab has open is said so, and had once that one lets go', () => withPage({}, async (page, mock, open) => {
    await withCopy(page);
    const other = await open(TAB);
    await other.getByRole('heading', { name: 'Another tab has this data open' }).waitFor();
    assert.match(await other.locator('.notice.error').textContent(), /switch it to Server.*database_locked/);
    await switchTo(page, 'server');
    await eventually(async () => (await facts(page)).trim(), '117,791 documents');
    await press(other, 'Try again');
    await eventually(() => facts(other), 'wordnet 8 documents');
  }));

  test('a collection is removed from the tab after a question, and the server keeps its own', () => withPage({}, async (page) => {
    await withCopy(page);
    await press(page, 'Remove wordnet');
    await press(page, 'Keep it');
    assert.equal(await facts(page), 'wordnet 8 documents');
    await press(page, 'Remove wordnet');
    await press(page, 'Remove wordnet');
    await page.locator('#copy-name').waitFor();
    assert.equal(await page.locator('#form').isVisible(), false);
    await page.reload();
    await page.locator('#copy-name').waitFor();
    await switchTo(page, 'server');
    await eventually(async () => (await facts(page)).trim(), '117,791 documents');
  }));

  test('what a page that was closed in the middle of copying left is removed', () => {
    const delayOf = ({ k }) => (k > 10 ? 60_000 : 0);
    return withPage({ mock: { delayOf } }, async (page, mock) => {
      await switchTo(page, 'tab');
      await copy(page);
      await page.locator('.phases li:not(.ended)', { hasText: 'Downloading' }).waitFor();
      await page.evaluate(() => new Promise((done, fail) => {
        const request = indexedDB.open('mock:page', 1);
        request.onsuccess = () => {
          const kept = { info: { name: 'wordnet', documents: 3 }, documents: [] };
          request.result.transaction('collections', 'readwrite').objectStore('collections').put(kept, 'wordnet')
            .onsuccess = done;
        };
        request.onerror = fail;
      }));
      mock.delayOf = () => 0;
      await page.reload();
      await page.locator('#copy-name').waitFor();
      assert.equal(await page.locator('#form').isVisible(), false);
      await copy(page);
      await eventually(() => facts(page), 'wordnet 8 documents');
    });
  });

  test('an embedder that is another one now is refused while its vectors would not fit', () =>
    withPage({}, async (page, mock) => {
      await withCopy(page);
      mock.embedder = '00000000000000bb';
      await press(page, 'Copy another');
      await copy(page);
      await page.getByText('The server has another embedder now than the one of wordnet').waitFor();
      await eventually(() => facts(page), 'wordnet 8 documents');
      await press(page, 'Not now');
      await press(page, 'Remove wordnet');
      await press(page, 'Remove wordnet');
      await copy(page);
      await eventually(() => facts(page), 'wordnet 8 documents');
      assert.equal(mock.requests.filter((path) => path === '/v1/embedder/model.safetensors').length, 2);
    }));

  test('a server without the engine offers no switch, and says what is missing when it is asked for', () =>
    withPage({ mock: { engine: false } }, async (page, { origin, requests }) => {
      await cards(page).first().waitFor();
      await eventually(() => Promise.resolve(requests.includes('/ui/files.json')), true);
      assert.equal(await page.locator('#place').isVisible(), false);
      await page.goto(`${origin}${TAB}`);
      await page.getByText('The engine could not be loaded').waitFor();
      await switchTo(page, 'server');
      await cards(page).first().waitFor();
    }));

  test('no script but the two of the page can be started', async () => {
    const mock = await startMock();
    const page = await browser.newPage();
    try {
      await page.goto(`${mock.origin}/ui/`);
      await cards(page).first().waitFor();
      const outcomes = await page.evaluate(async () => {
        const { startWorker } = await import('/ui/own.js');
        const tries = [
          () => startWorker().terminate(),
          () => new Worker('/ui/main.js'),
          () => new Worker('/ui/tab-worker.js'),
          () => trustedTypes.createPolicy('kith', { createScriptURL: (address) => address }),
          () => trustedTypes.createPolicy('other', { createScriptURL: (address) => address }),
        ];
        return tries.map((attempt) => {
          try {
            attempt();
            return 'done';
          } catch (error) {
            return error.name;
          }
        });
      });
      assert.deepEqual(outcomes, ['done', 'TypeError', 'TypeError', 'TypeError', 'TypeError']);
    } finally {
      await page.close();
      await mock.stop();
    }
  });

  test('no accessibility rule is broken in any state, light or dark', () => {
    const delayOf = ({ filter }) => (filter === "lexical_file = 'noun.food'" ? 60_000 : 0);
    return withPage({ mock: { delayOf } }, async (page) => {
      await switchTo(page, 'tab');
      await page.locator('#copy-name').waitFor();
      await checkAccess(page, axe.source, 'the form');
      await copy(page);
      await page.locator('.phases li:not(.ended)', { hasText: 'Downloading' }).waitFor();
      await checkAccess(page, axe.source, 'copying');
      await press(page, 'Cancel');
      await copy(page, { filters: 'lexical_file =' });
      await page.locator('#copy-filters-error .spot').waitFor();
      await checkAccess(page, axe.source, 'a filter that cannot be read');
      await page.fill('#copy-filters', '');
      await press(page, 'Copy into this tab');
      await cards(page).first().waitFor();
      await checkAccess(page, axe.source, 'results');
      await press(page, 'Remove wordnet');
      await checkAccess(page, axe.source, 'removing');
    });
  });
});
