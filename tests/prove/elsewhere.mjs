// What it costs that the engine is elsewhere: medians of calls in a page, in a Worker, and over the writer's tab, side by
// side; and what writes of one document cost in each place where a database is kept. Nothing passes or fails.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { launchBrowser, launchProfile } from '../browser/browser.mjs';
import { startSite } from '../browser/site.mjs';
import { BUILD_NEEDS, buildForBrowser } from '../../.ci/lib/build.mjs';
import { main, step } from '../../.ci/lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../../.ci/lib/system.mjs';

const [COUNT, DIM, READS, WRITES, ROUNDS] = [10_000, 128, 200, 40, 3];
const SINGLES = 1000;
const WAYS = { page: {}, worker: { worker: true }, writer: { shared: true } };

await main(async () => {
  await ensureSystem([...BUILD_NEEDS, 'chromium']);
  ensureRust();
  await ensureNpmPackages();
  await buildForBrowser();
  const site = await startSite('/browser/engine-page.mjs');
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext();
    const [one, two] = [await opened(context, site), await opened(context, site)];
    await step('filling the databases', async () => {
      for (const [name, options] of Object.entries(WAYS)) await one.evaluate(fill, { name, options, count: COUNT, dim: DIM });
      await two.evaluate(async () => { globalThis.follower = (await kith.open('writer', { shared: true })).collection('a'); });
    });
    const places = [...Object.keys(WAYS).map((name) => [one, name]), [two, 'follower']];
    console.log(`${COUNT} documents of ${DIM} components; microseconds: get, search, write of 100`);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [page, name] of places) {
        const told = await page.evaluate(medians, { name, dim: DIM, reads: READS, writes: WRITES });
        console.log(`  ${name}: ${told.join(', ')}`);
      }
    }
    await stores(site);
  } finally {
    await browser.close();
    await site.stop();
  }
});

/** In a profile on the disk: the windows above are private, and keep what is stored in memory. */
async function stores(site) {
  const profile = mkdtempSync(join(tmpdir(), 'kithdb-profile-'));
  const browser = await launchProfile(profile);
  try {
    const page = await opened(browser.context, site);
    console.log(`milliseconds of ${SINGLES} writes of one document in a Worker, one after the other: at always, at everysec`);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const storage of ['indexeddb', 'opfs']) {
        console.log(`  ${storage}: ${(await page.evaluate(singles, { storage, dim: DIM, count: SINGLES })).join(', ')}`);
      }
    }
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** In a page: how long so many writes take in a place, at two levels. */
async function singles({ storage, dim, count }) {
  const db = await kith.open(`singles in ${storage}`, { worker: true, storage });
  const collection = await db.create('a');
  const times = [];
  for (const durability of ['always', 'everysec']) {
    const start = performance.now();
    for (let i = 0; i < count; i += 1) {
      const vector = Float32Array.from({ length: dim }, () => Math.random() - 0.5);
      await collection.upsert({ id: `d${i}`, vector }, { durability });
    }
    times.push(Math.round(performance.now() - start));
  }
  await db.drop('a');
  await db.close();
  return times;
}

async function opened(context, { origin }) {
  const page = await context.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => globalThis.kith);
  return page;
}

/** In a page: a database whose collection is `globalThis[name]`, in one segment with links. */
async function fill({ name, options, count, dim }) {
  const db = await kith.open(name, options);
  const collection = await db.create('a');
  const vector = () => Float32Array.from({ length: dim }, () => Math.random() - 0.5);
  for (let at = 0; at < count; at += 1000) {
    await collection.addMany(Array.from({ length: 1000 }, (_, i) => ({ id: `d${at + i}`, vector: vector() })));
  }
  await collection.optimize();
  globalThis[name] = collection;
}

/** In a page: medians of a get, a search and a write of 100 documents. */
async function medians({ name, dim, reads, writes }) {
  const collection = globalThis[name];
  const vector = () => Float32Array.from({ length: dim }, () => Math.random() - 0.5);
  const median = async (count, prepare, call) => {
    const times = [];
    for (let i = 0; i < count; i += 1) {
      const given = prepare();
      const start = performance.now();
      await call(given);
      times.push(performance.now() - start);
    }
    return Math.round(1000 * times.sort((a, b) => a - b)[count >> 1]);
  };
  const documents = () => Array.from({ length: 100 }, (_, i) => ({ id: `w${i}`, vector: vector() }));
  return [
    await median(reads, () => 'd5', (id) => collection.get(id)),
    await median(reads, vector, (query) => collection.search({ vector: query, k: 10 })),
    await median(writes, documents, (written) => collection.upsertMany(written)),
  ];
}
