// What the graph page of the explorer costs the main thread: a graph of 50,000 documents and 200,000 edges in headless Chromium, while
// one pans, while the layout runs, and while both. Usage: npm run bench -- explorer [--json] [--documents N] [--seconds N]

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Refusal, main, step } from '../.ci/lib/say.mjs';
import { launchBrowser } from '../tests/browser/browser.mjs';
import { startServer } from '../tests/js/server.mjs';
import { framesOf } from './explorer/frames.mjs';
import { aligned, number } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';

/** The time of a frame that our own code may take on the main thread, in milliseconds. */
const LIMIT_MS = 8;
const RELATIONS = ['follows', 'cites', 'likes', 'near'];
const EDGES_A_DOCUMENT = 4;
const BRANCHES = 12;
const BATCH = 20_000;

await main(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      documents: { type: 'string', default: '50000' },
      seconds: { type: 'string', default: '6' },
    },
  });
  if (!process.env.KITH_SERVER || !existsSync(process.env.KITH_SERVER)) throw new Refusal('there is no server: run npm run bench -- explorer');
  const [documents, seconds] = [Number(values.documents), Number(values.seconds)];
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-explorer-'));
  const server = await startServer(join(folder, 'data'));
  const browser = await launchBrowser();
  try {
    const edges = await step(`linking ${number(documents)} documents`, () => link(server.address, documents));
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(`${server.address}/ui/#/graph/server/people?id=0&depth=6&limit=${documents}`);
    const known = `${number(documents)} documents, ${number(edges)} edges`;
    await page.getByText(known).waitFor({ timeout: 240_000 });
    const kind = (await page.getByText('drawn without WebGL').count()) > 0 ? 'canvas' : 'WebGL';
    const found = {};
    await restart(page);
    found.laying = await measure(browser, page, () => page.waitForTimeout(1000 * seconds));
    await restart(page);
    found.both = await measure(browser, page, () => pan(page, seconds));
    await press(page, 'Stop');
    found.panning = await measure(browser, page, () => pan(page, seconds));
    const told = { documents, edges, kind, browser: browser.version(), machine: cpus()[0].model, cores: cpus().length, load: loadavg()[0], revision: revision(), limit_ms: LIMIT_MS, ...found };
    if (values.json) console.log(JSON.stringify(told));
    else print(told);
  } finally {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A tree, so that all of it is found from its root, and edges between documents that are near in it. */
async function link(origin, documents) {
  const post = async (path, body) => {
    const response = await fetch(`${origin}/v1/collections${path}`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  };
  await post('', { name: 'people' });
  const made = new Set();
  let batch = [];
  const add = async (source, target, relation) => {
    const name = `${source} ${target}`;
    if (source === target || made.has(name)) return;
    made.add(name);
    batch.push({ source: String(source), relation: RELATIONS[relation], target: String(target) });
    if (batch.length === BATCH) await flush();
  };
  const flush = async () => {
    if (batch.length > 0) await post('/people/graph/link', { edges: batch });
    batch = [];
  };
  for (let at = 1; at < documents; at += 1) await add(at, Math.floor((at - 1) / BRANCHES), 0);
  for (let state = 1; made.size < EDGES_A_DOCUMENT * documents; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const at = state % documents;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    await add(at, (at + 1 + (state >>> 8) % 200) % documents, 1 + (state >>> 28) % 3);
  }
  await flush();
  return made.size;
}

async function measure(browser, page, act) {
  await browser.startTracing(page, { categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', '__metadata'] });
  await act();
  return framesOf(JSON.parse(await browser.stopTracing()));
}

/** Lays the graph out anew, whether it was being laid out or not. */
async function restart(page) {
  await press(page, 'Stop');
  await press(page, 'Lay out');
}

/** Presses a button where it is there; without a hand, which would wait for frames of a picture that takes long to draw. */
async function press(page, name) {
  await page.evaluate((wanted) => {
    [...document.querySelectorAll('.tools button')].find((button) => button.textContent === wanted)?.click();
  }, name);
  await page.waitForTimeout(200);
}

/** A hand that pulls the picture around. */
async function pan(page, seconds) {
  const box = await page.getByRole('application').boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, box.y + 12);
  await page.mouse.down();
  const end = Date.now() + 1000 * seconds;
  for (let at = 0; Date.now() < end; at += 1) await page.mouse.move(x + 150 * Math.sin(at / 9), y + 100 * Math.cos(at / 7));
  await page.mouse.up();
}

function print({ documents, edges, kind, browser, machine, cores, load, revision: version, ...found }) {
  console.log(`${number(documents)} documents and ${number(edges)} edges, drawn with ${kind} in Chromium ${browser} without a GPU`);
  console.log(`revision ${version}; ${machine}, ${cores} cores, load ${load.toFixed(1)}`);
  console.log(`milliseconds of the processor for JavaScript on the main thread in a frame; the limit is ${LIMIT_MS}`);
  const row = (title, { frames, median, p95, most, over }) => [title, number(frames), median.toFixed(2), p95.toFixed(2), most.toFixed(2), number(over)];
  console.log(aligned([
    ['', 'frames', 'median', '95 %', 'most', `over ${LIMIT_MS}`],
    row('while it is laid out', found.laying),
    row('while one pans', found.panning),
    row('both', found.both),
  ]));
}
