// Searching in the tab with everything real: the server, the engine, the embedder, a part of WordNet. What the tab
// answers is what the server answers, nothing leaves the page while it searches, and it goes on without the server.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';

import { serverBinary } from '../../.ci/lib/build.mjs';
import { cacheFolder } from '../../.ci/lib/data.mjs';
import { launchBrowser } from './browser.mjs';
import { eventually } from './opened.mjs';

const SERVER = process.env.KITH_SERVER ?? serverBinary('debug');
const EMBEDDER = join(cacheFolder(), 'embedder/wordllama-256');
const WORDNET = join(cacheFolder(), 'wordnet/documents.jsonl');

const ANIMAL = 'noun.animal';
const ANIMALS = 7510;
/** Documents of other kinds that the server has beside the animals. */
const OTHERS = 500;
const OTHER = 'noun.food';

const GIRAFFE = 'very tall quadruped with a long neck that lives in Africa';
const QUERIES = [GIRAFFE, 'flightless bird of cold southern seas', 'whale with a long tusk', 'cheese'];
/** No word matches, and what is nearest is far. */
const NONSENSE = 'zzz';

const missing = [SERVER, EMBEDDER, WORDNET].filter((path) => !existsSync(path));
const skip = missing.length > 0 && `there is no ${missing.join(' and no ')}; npm test makes them`;

describe('the page with the real engine', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-page-'));
  const data = join(folder, 'data');
  let browser;
  let server;

  before(async () => {
    const lines = [];
    let others = 0;
    for await (const line of createInterface(createReadStream(WORDNET))) {
      const { lexical_file: file } = JSON.parse(line).metadata;
      if (file === ANIMAL || (file === OTHER && others++ < OTHERS)) lines.push(line);
    }
    const documents = join(folder, 'documents.jsonl');
    writeFileSync(documents, `${lines.join('\n')}\n`);
    const how = ['--data', data, '--collection', 'wordnet', '--embedder', EMBEDDER, '--text-field', 'gloss'];
    const loaded = spawnSync(SERVER, ['load', ...how, documents], { encoding: 'utf8' });
    assert.equal(loaded.status, 0, loaded.stderr);
    server = await startServer();
    const list = await fetch(`${server.origin}/ui/files.json`);
    assert.equal((await list.json()).engine, true, 'the server was built without the engine: npm test builds both');
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Serves the data on a free port, or on this one. */
  async function startServer(port = 0) {
    const args = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--embedder', EMBEDDER];
    const child = spawn(SERVER, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((done) => { child.on('exit', done); });
    const origin = await new Promise((done, fail) => {
      child.on('exit', (code) => fail(new Error(`the server ended with ${code}`)));
      createInterface(child.stdout).on('line', (line) => done(/http:\S+/.exec(line)[0]));
    });
    const stop = async () => {
      child.kill();
      await ended;
    };
    return { origin, stop };
  }

  /** A page on the tab's side, with what its requests were. */
  async function openTab() {
    const context = await browser.newContext({ reducedMotion: 'reduce' });
    const page = await context.newPage();
    const requests = [];
    const wrong = [];
    context.on('request', (request) => {
      if (!request.url().startsWith('data:')) requests.push(new URL(request.url()).pathname);
    });
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/i.test(message.text())) wrong.push(message.text());
    });
    await page.goto(`${server.origin}/ui/`);
    await page.locator('label[for=place-tab]').click();
    await page.locator('#copy-name').waitFor();
    return { context, page, requests, wrong };
  }

  const facts = (page) => page.locator('#facts').textContent();
  const shown = (page) => page.locator('.card').evaluateAll((cards) => cards.map((card) =>
    [card.dataset.id, card.querySelector('.score').textContent]));
  const summary = (page) => page.locator('#summary').textContent();

  /** Types a query and waits for its answer: the page keeps the one before until then. */
  async function ask(page, text, alpha) {
    await page.fill('#text', '');
    await eventually(async () => /^The first/.test(await summary(page)), true);
    await page.locator('#alpha').fill(String(alpha));
    await page.fill('#text', text);
    await eventually(async () => /^The first/.test(await summary(page)) && await page.locator('.card').count() > 0, false);
    return shown(page);
  }

  async function askServer(text, alpha, more = {}) {
    const response = await fetch(`${server.origin}/v1/collections/wordnet/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text, alpha, k: 10, explain: true, ...more }),
    });
    const { hits } = await response.json();
    return hits.map(({ id, score }) => [id, score.toFixed(3)]);
  }

  /**
   * The same documents in the same order. A fused score is scaled by the last of two hundred candidates, and an index
   * over other segments may find another one there.
   */
  function assertAlike(got, expected, query) {
    assert.deepEqual(got.map(([id]) => id), expected.map(([id]) => id), query);
    for (const [i, [id, score]] of got.entries()) {
      assert.ok(Math.abs(score - expected[i][1]) < 0.01, `${query}: ${id} has ${score}, on the server ${expected[i][1]}`);
    }
  }

  /** Once the service worker has kept the page. */
  const kept = (page) => eventually(() => page.evaluate(async () => {
    const names = await caches.keys();
    const lists = await Promise.all(names.map(async (name) => (await caches.open(name)).match('/ui/files.json')));
    return lists.some(Boolean);
  }), true);

  test('the tab answers as the server does, with no request, and after a reload without the server', async () => {
    const { context, page, requests, wrong } = await openTab();
    await page.getByRole('button', { name: 'Copy into this tab' }).click();
    await page.locator('.card').first().waitFor({ timeout: 120_000 });
    const documents = (ANIMALS + OTHERS).toLocaleString('en');
    await eventually(() => facts(page), `wordnet ${documents} documents`);
    assert.ok(requests.includes('/v1/embedder/model.safetensors'), 'what the Worker asks for is seen by this test');
    await kept(page);
    const expected = [];
    for (const text of QUERIES) for (const alpha of [0, 0.5, 1]) expected.push([text, alpha, await askServer(text, alpha)]);
    const from = requests.length;
    for (const [text, alpha, answer] of expected) assertAlike(await ask(page, text, alpha), answer, `${text} ${alpha}`);
    assert.deepEqual(requests.slice(from), []);
    assert.equal((await ask(page, GIRAFFE, 0.5))[0][0], 'n02441664');

    const port = Number(new URL(server.origin).port);
    await server.stop();
    await page.reload();
    await page.getByText('The server is not reachable').waitFor();
    for (const [text, alpha, answer] of expected.slice(0, 3)) {
      assertAlike(await ask(page, text, alpha), answer, `${text} ${alpha} without the server`);
    }
    assert.deepEqual(wrong, []);
    await context.close();
    server = await startServer(port);
  });

  test('a part chosen by a filter is all that the tab has, and a whole export answers as the server does', async () => {
    const { context, page, wrong } = await openTab();
    await page.fill('#copy-filters', `lexical_file = '${ANIMAL}'`);
    await page.getByRole('button', { name: 'Copy into this tab' }).click();
    await page.locator('.card').first().waitFor({ timeout: 120_000 });
    await eventually(() => facts(page), `wordnet ${ANIMALS.toLocaleString('en')} documents`);
    // By meaning alone nothing depends on which other documents there are.
    const filter = `lexical_file = '${ANIMAL}'`;
    assert.deepEqual(await ask(page, GIRAFFE, 1), await askServer(GIRAFFE, 1, { filter }));

    await page.getByRole('button', { name: 'Copy another' }).click();
    await page.locator('#copy-all').check();
    await page.getByRole('button', { name: 'Copy into this tab' }).click();
    await page.locator('.progress').waitFor({ state: 'detached', timeout: 120_000 });
    await eventually(() => facts(page), `wordnet ${(ANIMALS + OTHERS).toLocaleString('en')} documents`);
    // The same segments, so the same answers to the last digit.
    for (const text of [...QUERIES, NONSENSE]) assert.deepEqual(await ask(page, text, 0.5), await askServer(text, 0.5), text);
    assert.deepEqual(wrong, []);
    await context.close();
  });

  test('the engine and the embedder are fetched once and kept, and a file that did not change is not sent again', async () => {
    const { context, page } = await openTab();
    await page.fill('#copy-most', '50');
    await page.getByRole('button', { name: 'Copy into this tab' }).click();
    await page.locator('.card').first().waitFor({ timeout: 60_000 });
    await kept(page);
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let received = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => { received += encodedDataLength; });
    const asked = [];
    context.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.reload();
    await page.locator('.card').first().waitFor();
    assert.ok(!asked.some((path) => path.startsWith('/v1/embedder')), asked.join(' '));
    assert.ok(received < 100_000, `${received} bytes came again`);
    await context.close();
  });
});
