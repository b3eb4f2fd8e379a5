// Opens the explorer in Chromium, on a real server or on the engine in the tab, both with the same documents; at the end
// checks what no test may do: another request than to the server, an error nobody caught, something against the policy.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';

import axe from 'axe-core';

import { TARGET_FOLDER } from '../../../.ci/lib/run.mjs';
import { startServer } from '../../js/server.mjs';
import { launchBrowser } from '../browser.mjs';

export { eventually } from '../opened.mjs';

const SCREENSHOTS = join(TARGET_FOLDER, 'screenshots');

const GENRES = ['drama', 'comedy', 'space', 'war', 'love'];
const THINGS = ['house', 'ship', 'dog', 'river', 'letter', 'train', 'garden'];

/** Documents of a collection of films: the same at each run. */
export function films(count) {
  return Array.from({ length: count }, (_, i) => ({
    id: `film-${String(i).padStart(4, '0')}`,
    vector: Array.from({ length: 8 }, (_, j) => Math.round(1000 * Math.sin(1 + i * 3.7 + j * (1 + (i % 7)))) / 1000),
    metadata: {
      title: `The ${THINGS[i % THINGS.length]} of ${1950 + (i % 70)}`,
      plot: `A ${GENRES[i % GENRES.length]} about a ${THINGS[(i * 3) % THINGS.length]} that goes to a ${THINGS[(i * 5 + 1) % THINGS.length]}.`,
      genre: GENRES[i % GENRES.length],
      year: 1950 + (i % 70),
    },
  }));
}

/** What a hostile writer would store. */
export const HOSTILE = [
  { id: '<img src=x onerror=alert(1)>', vector: Array(8).fill(0.5), metadata: { title: '<script>alert(2)</script>', plot: '"><svg onload=alert(3)>', genre: 'drama', year: 1 } },
  { id: 'rtl', vector: Array(8).fill(0.25), metadata: { title: 'שלום \u202eevil\u202c 😀', plot: 'مرحبا بالعالم', genre: 'comedy', year: 2 } },
  { id: 'large', vector: Array(8).fill(0.125), metadata: { title: 'x'.repeat(1_000_000), plot: 'large', genre: 'war', year: 3 } },
];

const CONFIG = { metric: 'cosine', text: { fields: ['title', 'plot'] }, history: 'forever' };

/**
 * A browser, and a server with that many films; with a token it lets in who has it. `links` is what is linked and unlinked once
 * the films are there, in turn: `['link', edges]`.
 */
export function explorer({ count = 60, token, links = [] } = {}) {
  const documents = [...films(count), ...HOSTILE];
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-explorer-'));
  const state = {};
  before(async () => {
    const args = token === undefined ? [] : ['--token-file', join(folder, 'token')];
    if (token !== undefined) writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
    [state.server, state.browser] = await Promise.all([startServer(join(folder, 'data'), ...args), launchBrowser()]);
    await fill(state.server.address, documents, links, token);
  });
  after(async () => {
    await state.browser?.close();
    await state.server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** `where`: behind the # of the address; `source`: 'server' or 'browser:films', which is filled first. */
  async function withPage({ where = '', source = 'server', base, allowed = [], ...context }, check) {
    const address = base ?? `${state.server.address}/`;
    const opened = await state.browser.newContext({ reducedMotion: 'reduce', viewport: { width: 1280, height: 800 }, ...context });
    const wrong = [];
    const page = await opened.newPage();
    watch(page, new URL(address).origin, wrong);
    try {
      if (source !== 'server') await fillTab(page, address, source, [documents, links]);
      await page.goto(`${address}ui/#/${where.replace('SOURCE', encodeURIComponent(source))}`);
      await check(page, state);
      assert.deepEqual(wrong.filter((one) => !allowed.some((pattern) => pattern.test(one))), []);
    } finally {
      await opened.close();
    }
  }
  return { state, documents, withPage };
}

/** Asks a server; with the token where it wants one. */
export async function post(url, body, token) {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, text);
  return JSON.parse(text);
}

async function fill(address, documents, links, token) {
  const url = `${address}/v1/collections`;
  await post(url, { name: 'films', ...CONFIG }, token);
  for (let i = 0; i < documents.length; i += 1000) await post(`${url}/films/documents`, { documents: documents.slice(i, i + 1000) }, token);
  for (const [verb, edges] of links) await post(`${url}/films/graph/${verb}`, { edges }, token);
}

/** Fills a database of the browser by the engine itself, on a page of the server that is there anyway. */
async function fillTab(page, address, source, content) {
  await page.goto(`${address}ui/icon.svg`);
  await page.evaluate(async ([name, config, [all, links]]) => {
    const { open } = await import(new URL('kithdb/browser.js', location.href).href);
    const database = await open(name);
    const collection = await database.create('films', config);
    await collection.addMany(all);
    for (const [verb, edges] of links) await collection.graph[verb](edges);
    await database.close();
  }, [source.slice('browser:'.length), CONFIG, content]);
}

/**
 * Does something, and tells later how many requests there were since whose method and address match. They are let go when it is
 * done: what the second of two clicks meets is not to depend on how quickly the first one is answered.
 */
export async function sent(page, pattern, act) {
  let count = 0;
  const isMeant = (request) => pattern.test(`${request.method()} ${request.url()}`);
  page.on('request', (request) => { count += isMeant(request) ? 1 : 0; });
  let letGo;
  const isDone = new Promise((done) => { letGo = done; });
  await page.route('**', async (route) => {
    if (isMeant(route.request())) await isDone;
    await route.continue();
  });
  try {
    await act();
  } finally {
    letGo();
  }
  return () => count;
}

function watch(page, own, wrong) {
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (!['data:', 'blob:'].includes(protocol) && origin !== own) wrong.push(`request to ${request.url()}`);
  });
  page.on('pageerror', (error) => wrong.push(error.stack ?? error.message));
  page.on('dialog', (dialog) => wrong.push(`dialog: ${dialog.message()}`));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) wrong.push(message.text());
  });
}

/** Nothing is wrong for people with assistive technology, and a picture for who looks at the run. In the tab it looks the same. */
export async function look(page, name, source = 'server') {
  if (source === 'server') await checkAccess(page, name);
  await picture(page, name);
}

/** All rules in light; in dark the one that colours can break. */
async function checkAccess(page, where) {
  await page.evaluate(axe.source);
  for (const [colorScheme, rules] of [['light', {}], ['dark', { runOnly: ['color-contrast'] }]]) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate((options) => globalThis.axe.run(options), rules);
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(' | ')}`);
    assert.deepEqual(told, [], `${colorScheme} ${where}`);
  }
}

/** A picture, light. */
export async function picture(page, name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.emulateMedia({ colorScheme: 'light' });
  await page.screenshot({ path: join(SCREENSHOTS, `explorer-${name}.png`) });
}

/** On a phone: nothing is wider than the screen. */
export async function narrow(page, name) {
  await page.setViewportSize({ width: 360, height: 740 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  await picture(page, `${name}-phone`);
  assert.ok(wide <= 360, `${name}: ${wide} px wide`);
}

/** The two engines that every page is tried on. */
export const PLACES = ['server', 'browser:films'];
