// Takes the pictures of the explorer that README and docs/EXPLORER.md show, of a part of WordNet: a search with a reason, its graph at
// a moment, its map, the overview. Usage: npm run bench -- pictures [--into DIR] [--all]; with --all also in dark and on a phone.

import { createReadStream, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { cacheFolder } from '../.ci/lib/data.mjs';
import { ROOT, run } from '../.ci/lib/run.mjs';
import { Refusal, main, step } from '../.ci/lib/say.mjs';
import { launchBrowser } from '../tests/browser/browser.mjs';
import { startServer } from '../tests/js/server.mjs';
import { pngOf } from './pictures/png.mjs';

const FILES = new Set(['noun.animal', 'noun.plant', 'noun.food', 'noun.body']);
const UNGULATE = 'n02373458';
const SEARCH = { q: 'very tall quadruped with a long neck', filter: "lexical_file = 'noun.animal'" };
/** How many times edges are made, and the time between two. */
const [MOMENTS, PAUSE_MS] = [25, 200];
const SIZE = { width: 1240, height: 970 };
const PHONE = { width: 360, height: 740 };
/** A picture settles in so many milliseconds, layouts and fades included. */
const SETTLED_MS = 1500;

await main(async (args) => {
  const options = { into: { type: 'string', default: join(ROOT, 'docs/images') }, all: { type: 'boolean', default: false } };
  const { into, all } = parseArgs({ args, options }).values;
  const binary = process.env.KITH_SERVER;
  if (!binary || !existsSync(binary)) throw new Refusal('there is no server: run npm run bench -- pictures');
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-pictures-'));
  const data = join(folder, 'data');
  const embedder = join(cacheFolder(), 'embedder/wordllama-256');
  mkdirSync(into, { recursive: true });
  await step('loading a part of WordNet', async () => {
    const documents = join(folder, 'documents.jsonl');
    writeFileSync(documents, `${(await linesOf('documents.jsonl', ({ metadata }) => FILES.has(metadata.lexical_file))).join('\n')}\n`);
    await run(binary, ['load', '--data', data, '--collection', 'wordnet', '--embedder', embedder, '--text-field', 'gloss', documents]);
  });
  const server = await startServer(data, '--embedder', embedder);
  const browser = await launchBrowser();
  try {
    await step('linking the ungulates, little by little', () => linkUngulates(server.address));
    for (const scheme of all ? ['light', 'dark'] : ['light']) {
      await step(`taking pictures in ${scheme}`, () => takeAll(browser, server.address, { into, scheme, suffix: scheme === 'light' ? '' : '-dark', viewport: SIZE }));
    }
    if (all) await step('taking pictures on a phone', () => takeAll(browser, server.address, { into, scheme: 'light', suffix: '-phone', viewport: PHONE }));
  } finally {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** What is in view, in few colours. */
async function picture(page) {
  const shot = (await page.screenshot()).toString('base64');
  const { width, height, pixels } = await page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const bytes = context.getImageData(0, 0, image.width, image.height).data;
    let text = '';
    for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
    return { width: image.width, height: image.height, pixels: btoa(text) };
  }, shot);
  return pngOf(Buffer.from(pixels, 'base64'), width, height);
}

async function linesOf(name, isWanted) {
  const lines = [];
  for await (const line of createInterface(createReadStream(join(cacheFolder(), 'wordnet', name)))) {
    if (isWanted(JSON.parse(line))) lines.push(line);
  }
  return lines;
}

/** What is an ungulate, and what that is, breadth first: so its graph has a history. */
async function linkUngulates(address) {
  const children = new Map();
  for (const line of await linesOf('edges.jsonl', ({ relation }) => relation === 'hyponym')) {
    const { from, to } = JSON.parse(line);
    children.set(from, [...(children.get(from) ?? []), to]);
  }
  const edges = [];
  for (const queue = [UNGULATE]; queue.length > 0; ) {
    const target = queue.shift();
    for (const source of children.get(target) ?? []) {
      edges.push({ source, relation: 'is_a', target });
      queue.push(source);
    }
  }
  const size = Math.ceil(edges.length / MOMENTS);
  for (let at = 0; at < edges.length; at += size) {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ edges: edges.slice(at, at + size) }) };
    const answer = await fetch(`${address}/v1/collections/wordnet/graph/link`, init);
    if (!answer.ok) throw new Error(await answer.text());
    await new Promise((later) => { setTimeout(later, PAUSE_MS); });
  }
}

async function takeAll(browser, address, { into, scheme, suffix, viewport }) {
  const context = await browser.newContext({ viewport, colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const take = async (name) => {
    await page.waitForTimeout(SETTLED_MS);
    writeFileSync(join(into, `explorer-${name}${suffix}.png`), await picture(page));
  };
  const go = (where, state = {}) => page.goto(`${address}/ui/#/${where}?${new URLSearchParams(state)}`);
  await go('search/server/wordnet', SEARCH);
  await page.locator('.why summary').first().click();
  await take('search');
  // The map rings what was found last.
  await page.getByRole('link', { name: 'Map', exact: true }).first().click();
  await page.getByRole('combobox', { name: 'Chosen' }).selectOption('by lexical_file');
  await page.getByRole('combobox', { name: 'Colour' }).selectOption('lexical_file');
  await page.getByText('of each lexical_file its share').waitFor();
  await page.locator('.busy').waitFor({ state: 'detached' });
  await take('map');
  await go('graph/server/wordnet', { id: UNGULATE, depth: '6', limit: '170' });
  await page.getByRole('combobox', { name: 'Colour' }).selectOption('communities');
  await page.getByText('community 1').waitFor();
  await page.getByRole('button', { name: 'Show its history' }).click();
  await page.locator('.time input[type=range]').evaluate((slider) => {
    slider.value = String(Number(slider.min) + 0.7 * (Number(slider.max) - Number(slider.min)));
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await page.getByRole('button', { name: 'Fit' }).click();
  await take('graph');
  await go('overview/server');
  await page.getByText('Mean time of a request').waitFor();
  await page.waitForTimeout(8 * SETTLED_MS);
  await take('overview');
  await context.close();
}
