// Copies of a server's collections in this browser: with everything real, the embedder and a part of WordNet, what is
// searched here is answered as the server does, nothing leaves the page while it searches, and it goes on without the server.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';

import { serverBinary } from '../../../.ci/lib/build.mjs';
import { cacheFolder } from '../../../.ci/lib/data.mjs';
import { startServer } from '../../js/server.mjs';
import { launchBrowser } from '../browser.mjs';
import { eventually, explorer, look } from './opened.mjs';

const LINKS = [['link', [{ source: 'film-0003', relation: 'sequel', target: 'film-0008' }, { source: 'film-0003', relation: 'sequel', target: 'film-0004' }]]];
const copyIt = (page) => page.getByRole('button', { name: 'Copy it' }).click();
const note = (page) => page.evaluate(() => localStorage.getItem('kithdb.copying'));
const facts = (page) => page.locator('header .facts').textContent();

describe('a copy in this browser', () => {
  const { documents, withPage } = explorer({ links: LINKS });
  const war = documents.filter(({ metadata }) => metadata.genre === 'war').length;

  test('is of a part, with the edges within it, or of all, and replaces what was there', () =>
    withPage({ where: 'documents/server/films?copy=1' }, async (page) => {
      await page.getByLabel('Filters, one a line').fill("genre = 'war'\ngenre =");
      await copyIt(page);
      await page.getByText('A filter cannot be read: genre =').waitFor();
      await look(page, 'copy');
      // Each document once, however many of the filters let it through.
      await page.getByLabel('Filters, one a line').fill("genre = 'war'\nyear < 1955 AND genre = 'war'");
      await copyIt(page);
      await page.waitForURL(/#\/search\/browser%3Acopies\/films/);
      await eventually(() => facts(page), `${war} documents`);
      await page.goto(`${page.url().split('#')[0]}#/graph/browser%3Acopies/films?id=film-0003`);
      await eventually(async () => (await page.locator('.figures').textContent()).replace(/\s+/g, ' ').trim(), '2 documents, 1 edge');
      await page.goto(`${page.url().split('#')[0]}#/documents/server/films?copy=1`);
      await page.getByLabel(/All of it/).check();
      await copyIt(page);
      await page.waitForURL(/#\/search\/browser%3Acopies\/films/);
      await eventually(() => facts(page), `${documents.length} documents`);
    }));

  test('leaves nothing behind when it is cancelled, or when its page is closed in the middle', () =>
    withPage({ where: 'documents/server/films?copy=1' }, async (page) => {
      // The server never answers where the edges are read.
      await page.route('**/graph/subgraph', () => {});
      await copyIt(page);
      await page.getByText('Downloading edges').waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Copy it' }).waitFor();
      await page.goto(`${page.url().split('#')[0]}#/documents/browser%3Acopies`);
      await page.getByText('There is no collection yet').waitFor();
      assert.equal(await note(page), null);
      // As a page leaves it that was closed after its first documents: a collection, and the note of what is not whole.
      await page.evaluate(async () => {
        const { open } = await import(new URL('kithdb/browser.js', location.href).href);
        const database = await open('left');
        await database.create('films');
        await database.close();
        localStorage.setItem('kithdb.copying', '{"database":"left","collection":"films"}');
      });
      await page.goto(`${page.url().split('#')[0]}#/documents/browser%3Aleft`);
      await page.getByText('There is no collection yet').waitFor();
      assert.equal(await note(page), null);
    }));

  // The note of what is not whole was of the copy that was there, which the next visit removed.
  test('stays when another one in its place is cancelled, fails, or its page is closed while it downloads', () =>
    withPage({ where: 'documents/server/films?copy=1' }, async (page) => {
      await page.getByLabel('At most').fill('7');
      await copyIt(page);
      await page.waitForURL(/#\/search\/browser%3Acopies\/films/);
      await page.goto(`${page.url().split('#')[0]}#/documents/server/films?copy=1`);
      const again = async (answer) => {
        await page.route('**/graph/subgraph', answer);
        await copyIt(page);
      };
      await again((route) => route.abort());
      await page.getByText('It was not copied').waitFor();
      assert.equal(await note(page), null);
      await again(() => {});
      await page.getByText('Downloading edges').waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Copy it' }).waitFor();
      assert.equal(await note(page), null);
      await again(() => {});
      await page.getByText('Downloading edges').waitFor();
      await page.goto(`${page.url().split('#')[0].replace('ui/', 'docs')}`);
      assert.equal(await note(page), null);
      await page.goto(`${page.url().replace('docs', 'ui/')}#/search/browser%3Acopies/films`);
      await eventually(() => facts(page), '7 documents');
    }));

  // The other tab's engine answered, without the embedder that had come since: what was there was dropped, and nothing could be made.
  test('is made once no other tab has its database', () =>
    withPage({ where: 'documents/server/films?copy=1' }, async (page) => {
      await page.getByLabel('At most').fill('7');
      await copyIt(page);
      await page.waitForURL(/#\/search\/browser%3Acopies\/films/);
      const other = await page.context().newPage();
      await other.goto(page.url());
      await eventually(() => facts(other), '7 documents');
      await page.goto(`${page.url().split('#')[0]}#/documents/server/films?copy=1`);
      await copyIt(page);
      await page.getByText('close it in the other tab, then try again').waitFor();
      await other.reload();
      await eventually(() => facts(other), '7 documents');
      await other.goto(`${page.url().split('#')[0]}#/overview/server`);
      await other.getByRole('heading', { name: 'films' }).waitFor();
      // It is closed there a moment after it was left.
      await eventually(() => page.evaluate(async () => (await navigator.locks.query()).held.filter(({ name }) => name.startsWith('kithdb:')).length), 0);
      await copyIt(page);
      await page.waitForURL(/#\/search\/browser%3Acopies\/films/);
      await eventually(() => facts(page), `${documents.length} documents`);
    }));
});

const SERVER = process.env.KITH_SERVER ?? serverBinary('debug');
const EMBEDDER = join(cacheFolder(), 'embedder/wordllama-256');
const WORDNET = join(cacheFolder(), 'wordnet/documents.jsonl');
const [ANIMAL, ANIMALS, FOOD, FOODS] = ['noun.animal', 1_500, 'noun.food', 500];
const QUERIES = ['whale with a long tusk', 'soft cheese', 'zzz'];
const missing = [SERVER, EMBEDDER, WORDNET].filter((path) => !existsSync(path));
const skip = missing.length > 0 && `there is no ${missing.join(' and no ')}; npm test makes them`;

describe('a copy with the real embedder', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-copy-'));
  let browser;
  let server;

  before(async () => {
    const lines = [];
    const room = { [ANIMAL]: ANIMALS, [FOOD]: FOODS };
    for await (const line of createInterface(createReadStream(WORDNET))) {
      const { lexical_file: file } = JSON.parse(line).metadata;
      if (room[file] > 0) lines.push(line);
      room[file] -= 1;
    }
    writeFileSync(join(folder, 'documents.jsonl'), `${lines.join('\n')}\n`);
    const how = ['--data', join(folder, 'data'), '--collection', 'wordnet', '--embedder', EMBEDDER, '--text-field', 'gloss'];
    const loaded = spawnSync(SERVER, ['load', ...how, join(folder, 'documents.jsonl')], { encoding: 'utf8' });
    assert.equal(loaded.status, 0, loaded.stderr);
    [server, browser] = await Promise.all([startServer(join(folder, 'data'), '--embedder', EMBEDDER), launchBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const shown = (page) => page.locator('.results article').evaluateAll((all) => all.map((one) =>
    [new URLSearchParams(one.querySelector('h2 a').href.split('?')[1]).get('id'), one.querySelector('.worth b')?.textContent]));

  async function askServer(text, alpha, more = {}) {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text, alpha, k: 10, ...more }) };
    const { hits } = await (await fetch(`${server.address}/v1/collections/wordnet/search`, init)).json();
    return hits.map(({ id, score }) => [id, score.toFixed(3)]);
  }

  test('answers as the server does, with no request, and after a reload without the server', async () => {
    const context = await browser.newContext({ reducedMotion: 'reduce' });
    const page = await context.newPage();
    const requests = [];
    const wrong = [];
    context.on('request', (request) => requests.push(new URL(request.url()).pathname));
    page.on('pageerror', (error) => wrong.push(error.message));
    const base = `${server.address}/ui/#/`;
    const ask = async (text, alpha, expected) => {
      await page.goto(`${base}search/browser%3Acopies/wordnet?${new URLSearchParams({ q: text, alpha })}`);
      await eventually(() => shown(page), expected);
    };
    await page.goto(`${base}documents/server/wordnet?copy=1`);
    await page.getByLabel('Filters, one a line').fill(`lexical_file = '${FOOD}'`);
    await copyIt(page);
    await page.waitForURL(/#\/search\/browser/, { timeout: 120_000 });
    await eventually(() => facts(page), `${FOODS} documents`);
    // By meaning alone nothing depends on which other documents there are.
    await ask(QUERIES[1], 1, await askServer(QUERIES[1], 1, { filter: `lexical_file = '${FOOD}'` }));
    const models = () => requests.filter((path) => path === '/v1/embedder/model.safetensors').length;
    assert.equal(models(), 1);

    await page.goto(`${base}documents/server/wordnet?copy=1`);
    await page.getByLabel(/All of it/).check();
    await copyIt(page);
    await page.waitForURL(/#\/search\/browser/, { timeout: 120_000 });
    await eventually(() => facts(page), `${(ANIMALS + FOODS).toLocaleString('en')} documents`);
    assert.equal(models(), 1, 'the embedder is kept');
    // The same segments, so the same answers to the last digit.
    const expected = [];
    for (const text of QUERIES) expected.push([text, await askServer(text, 0.5)]);
    // What keeps the pages for the time without a server asks for all their files in the background.
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    const before = requests.length;
    for (const [text, answer] of expected) await ask(text, 0.5, answer);
    assert.deepEqual(requests.slice(before), []);

    // The search page kept the embedder of its database elsewhere, and its links named that before the #.
    await page.evaluate(async () => {
      const cache = await caches.open('kithdb-embedder');
      for (const file of ['model.safetensors', 'tokenizer.json', 'about']) await cache.put(`/ui/embedder/${file}`, await cache.match(`embedder/copies/${file}`));
    });
    await page.goto(`${base}documents/server/wordnet?copy=1`);
    await page.getByLabel('Into the database').fill('page');
    await page.getByLabel('Filters, one a line').fill(`lexical_file = '${FOOD}'`);
    await page.getByLabel('At most').fill('30');
    await copyIt(page);
    await page.waitForURL(/#\/search\/browser%3Apage/, { timeout: 120_000 });
    await eventually(() => facts(page), '30 documents');
    assert.equal(models(), 1, 'the embedder is found');
    const untilOld = requests.length;
    await page.goto(`${server.address}/ui/?in=tab#c=wordnet&q=cheese`);
    await page.waitForURL(/\/ui\/#\/search\/browser%3Apage\/wordnet\?q=cheese$/);
    await eventually(async () => (await shown(page)).length, 10);
    assert.deepEqual(requests.slice(untilOld).filter((path) => path.startsWith('/v1/')), []);
    await page.goto(`${base}search/browser%3Acopies/wordnet`);

    await page.evaluate(() => void navigator.serviceWorker.ready.then(() => { window.isKept = true; }));
    await page.waitForFunction(() => window.isKept);
    await context.setOffline(true);
    await page.reload();
    for (const [text, answer] of expected) await ask(text, 0.5, answer);
    assert.deepEqual(wrong, []);
    await context.close();
  });
});
