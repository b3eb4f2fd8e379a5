// The explorer's overview and its shell: where it is served, how large it is, what it does when a server does not answer.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { PLACES, eventually, explorer, look, narrow, post } from './opened.mjs';

const DIST = fileURLToPath(new URL('../../../web/dist/', import.meta.url));
/** What loads first: before WebGL and WebAssembly, gzipped. */
const FIRST_LOAD_MAX = 350_000;

describe('the overview of the explorer', () => {
  const { state, documents, withPage } = explorer();

  for (const source of PLACES) {
    test(`shows collections, sizes and figures on ${source.split(':')[0]}`, () =>
      withPage({ where: 'overview/SOURCE', source }, async (page) => {
        await page.getByText(`${documents.length} documents, ${documents.length} of them not sealed yet`).waitFor();
        await page.getByText('Memory of what is not sealed').waitFor();
        await page.getByText('Log, which opening reads').waitFor();
        const taken = page.getByRole('figure').filter({ hasText: source === 'server' ? 'Memory of the server' : 'Memory of the engine' });
        assert.match(await taken.locator('b').textContent(), source === 'server' ? /^[\d.]+ [MG]B, .* of it files$/ : /^[\d.]+ MB$/);
        if (source === 'server') {
          await page.getByText('What takes room').waitFor();
          await page.getByText('Mean time of a request').waitFor();
        }
        if (source !== 'server') {
          const all = page.getByRole('region', { name: 'Databases' }).getByRole('link');
          await eventually(() => all.allTextContents(), ['This server', 'This browser: films']);
        }
        await look(page, `overview-${source.split(':')[0]}`, source);
        await narrow(page, `overview-${source.split(':')[0]}`);
      }));
  }

  test('deletes a database of this browser, once no other tab has it', () =>
    withPage({ where: 'overview/SOURCE', source: 'browser:films' }, async (page) => {
      const other = await page.context().newPage();
      await other.goto(page.url());
      for (const tab of [page, other]) await tab.getByRole('heading', { name: 'films' }).waitFor();
      await page.getByTitle('Choose a database').click();
      await page.getByRole('button', { name: 'Delete the database films' }).click();
      const remove = page.getByRole('button', { name: 'Delete it' });
      await page.getByLabel('Type its name').fill('film');
      assert.ok(await remove.isDisabled());
      await page.getByLabel('Type its name').fill('films');
      await remove.dblclick();
      await page.getByText('close it in the other tab').waitFor();
      await look(page, 'delete-database');
      // It is shown again, with all that it holds.
      await page.getByRole('heading', { name: 'films', exact: true, includeHidden: true }).waitFor();
      await other.close();
      // The other tab is gone a moment before its locks are; this page has it open again.
      await eventually(() => page.evaluate(async () => (await navigator.locks.query()).held.filter(({ name }) => name === 'kithdb:films').length), 1);
      await remove.dblclick();
      await page.getByText('The database films was deleted').waitFor();
      await page.waitForURL(/#\/overview\/server$/);
      assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)), []);
      await page.getByRole('heading', { name: 'films' }).waitFor();
      await eventually(() => page.getByRole('link', { name: 'This browser: films' }).count(), 0);
    }));

  test('goes everywhere from the palette, by keys alone', () =>
    withPage({}, async (page) => {
      await page.getByRole('heading', { name: 'films' }).waitFor();
      await page.keyboard.press('Control+k');
      await look(page, 'palette');
      await page.keyboard.type('documents look');
      await page.keyboard.press('Enter');
      await page.waitForURL(/#\/documents\/server\/films/);
      await page.getByText('63 read').waitFor();
    }));

  test('is found where it was once, and where the search page was', () =>
    withPage({}, async (page) => {
      for (const old of ['ui/explorer/#/search/server/films?q=ship', '#c=films&q=ship']) {
        await page.goto('about:blank');
        await page.goto(`${state.server.address}/${old}`);
        await page.locator('.results mark').first().waitFor();
        assert.match(page.url(), /\/ui\/#/);
      }
    }));

  test('says what to do in an empty database', () =>
    withPage({ where: 'documents/browser%3Aempty' }, async (page) => {
      await page.getByText('There is no collection yet').waitFor();
      await page.getByRole('link', { name: 'Make one' }).click();
      await page.getByRole('heading', { name: 'Make a collection' }).waitFor();
    }));

  test('starts no script but those of its policy', () =>
    withPage({ allowed: [/Trusted|Content Security Policy/] }, async (page) => {
      const started = (address) => page.evaluate((url) => {
        try {
          return new Worker(url).constructor.name;
        } catch (error) {
          return error.name;
        }
      }, address);
      for (const address of ['/ui/api.js', 'data:text/javascript,1', 'blob:null/1']) assert.equal(await started(address), 'TypeError', address);
      assert.equal(await page.evaluate(() => {
        try {
          return trustedTypes.createPolicy('kith', { createScriptURL: (url) => url }).name;
        } catch (error) {
          return error.name;
        }
      }), 'TypeError', 'one policy of that name, and it is taken');
    }));

  test('keeps light or dark, and says so', () =>
    withPage({}, async (page) => {
      for (const theme of ['light', 'dark']) {
        await page.getByRole('button', { name: 'Colours' }).click();
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
      }
      await page.reload();
      assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
    }));

  test('works below a path of a proxy, and keeps a new version in place of the one that it kept', async () => {
    let version;
    const proxy = createServer((from, to) => {
      const path = from.url.startsWith('/deep/path/') ? from.url.slice('/deep/path'.length) : '/no';
      if (version && path === '/ui/files.json') return to.end(JSON.stringify({ version, files: ['index.html'] }));
      const { host } = new URL(state.server.address);
      const passed = ask(`${state.server.address}${path}`, { method: from.method, headers: { ...from.headers, host } }, (answer) => {
        to.writeHead(answer.statusCode, answer.headers);
        answer.pipe(to);
      });
      delete from.headers.origin;
      passed.removeHeader('origin');
      from.pipe(passed);
    });
    await new Promise((done) => { proxy.listen(0, '127.0.0.1', done); });
    try {
      const base = `http://127.0.0.1:${proxy.address().port}/deep/path/`;
      await withPage({ base, where: 'search/server/films?q=ship' }, async (page) => {
        await page.locator('.results article').first().waitFor();
        // The API's page named its parts from the root of the host.
        await page.goto(`${base}docs#search`);
        await page.locator('#search .command', { hasText: `${base}v1/collections/films/search` }).waitFor();
        await page.goto(`${base}ui/#/overview/browser%3Amine`);
        // The list comes last, and what was kept goes then.
        const kept = (wanted) => page.waitForFunction(async (version) => {
          const names = await caches.keys();
          const list = names.length === 1 && await (await caches.open(names[0])).match('/deep/path/ui/files.json');
          return list && names[0].startsWith('kithdb-page-') && (version === undefined || names[0].endsWith(version));
        }, wanted);
        await kept();
        version = 'next';
        await page.reload();
        await kept(version);
      });
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });

  test('says what to do when the server is gone, and goes on when it is back', () =>
    withPage({}, async (page) => {
      await page.getByRole('heading', { name: 'films' }).waitFor();
      await page.route('**/v1/**', (route) => route.abort());
      await page.route('**/metrics', (route) => route.abort());
      await page.getByText('It does not answer').waitFor();
      await page.goto(`${page.url().split('#')[0]}#/search/server/films?q=dog`);
      await page.reload();
      await page.getByText('The database could not be opened').waitFor();
      await page.getByText('What to do: see that the server runs').waitFor();
      await page.unroute('**/v1/**');
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.locator('.results article').first().waitFor();
    }));

  test('shares a database of this browser with other tabs, and runs its engine in a Worker', () =>
    withPage({ where: 'documents/SOURCE/films', source: 'browser:films' }, async (page) => {
      await page.getByText('63 read').waitFor();
      assert.ok(page.workers().some((one) => one.url().endsWith('/kithdb/worker/worker.js')));
      const other = await page.context().newPage();
      await other.goto(page.url());
      await other.getByText('63 read').waitFor();
      await other.getByRole('button', { name: 'Add', exact: true }).click();
      await other.getByLabel('Id', { exact: true }).nth(1).fill('from another tab');
      await other.getByRole('button', { name: 'Store' }).click();
      await other.getByText('from another tab was stored').first().waitFor();
      await page.goto(`${page.url()}?id=from+another+tab`);
      await page.locator('dialog').getByText('Metadata').waitFor();
    }));

  test('goes on without a server on what this browser has', () =>
    withPage({ where: 'overview/SOURCE', source: 'browser:films' }, async (page) => {
      await page.getByRole('heading', { name: 'films' }).waitFor();
      // It is active once it keeps all files of the pages and the engine's module: more than a moment on a busy machine.
      await page.evaluate(() => void navigator.serviceWorker.ready.then(() => { window.isKept = true; }));
      await page.waitForFunction(() => window.isKept);
      await page.context().setOffline(true);
      await page.reload();
      await page.getByRole('link', { name: 'Search', exact: true }).first().click();
      await page.locator('#text').fill('ship');
      await page.locator('.results mark').first().waitFor();
    }));

  test('loads little at first', () => {
    const html = readFileSync(join(DIST, 'index.html'), 'utf8');
    const named = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => name);
    assert.ok(named.length >= 2, html);
    // The pages and the engine's JavaScript, too: all that is not WebGL or WebAssembly may be wanted at once.
    const pages = readdirSync(join(DIST, 'assets')).map((name) => `assets/${name}`);
    const bytes = (names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(join(DIST, name))).length, 0);
    const first = bytes(named);
    console.log(`first load ${first} bytes gzipped, all pages ${bytes(pages)}`);
    assert.ok(first <= FIRST_LOAD_MAX, `${first} bytes`);
    assert.match(readFileSync(join(DIST, 'licenses.json'), 'utf8'), /"svelte"/);
    assert.match(readFileSync(join(DIST, 'licenses-workers.json'), 'utf8'), /"graphology"/);
  });
});

describe('the explorer on a locked server', () => {
  const token = 'a-token-of-sixteen-or-more-characters';
  const { state, withPage } = explorer({ token });

  const enter = async (page, text) => {
    await page.getByLabel('Token').fill(text);
    await page.getByRole('button', { name: 'Use it' }).click();
  };

  test('asks for the token, which never becomes part of an address', () =>
    withPage({}, async (page) => {
      await page.getByText('This server wants to know who you are').waitFor();
      await look(page, 'token');
      await enter(page, 'another-token-than-the-right-one');
      await page.getByText('as the one that was given is not accepted').waitFor();
      await enter(page, token);
      await page.getByRole('heading', { name: 'films' }).waitFor();
      assert.ok(!page.url().includes('sixteen'));
      const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
      assert.ok(!kept.includes('sixteen'), kept);
      // It could be entered only where one was refused, and forgotten nowhere.
      await page.keyboard.press('Control+k');
      await page.keyboard.type('forget a token');
      await page.keyboard.press('Enter');
      await page.getByText('This page knows a token').waitFor();
      await page.getByRole('button', { name: 'Forget the token' }).click();
      await page.getByText('This server wants to know who you are').waitFor();
    }));

  test('says why a write was refused, and keeps what was typed', async () => {
    const key = await post(`${state.server.address}/v1/keys`, { role: 'read', collections: ['films'], description: 'a reader' }, token);
    await withPage({ where: 'documents/server/films?add=1' }, async (page) => {
      await enter(page, key.token);
      await page.getByLabel('Id', { exact: true }).nth(1).fill('mine');
      await page.getByRole('button', { name: 'Store' }).click();
      await page.getByText('It was not stored: this needs the role write').waitFor();
      assert.equal(await page.getByLabel('Id', { exact: true }).nth(1).inputValue(), 'mine');
    });
  });
});
