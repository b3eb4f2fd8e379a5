// Runs the pages: starts browsers, lets the engines take turns, and gathers what they measured.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { launchBrowser, launchProfile } from '../../tests/browser/browser.mjs';
import { latency, median, middle } from './numbers.mjs';
import { sizes } from './sizes.mjs';

/** Which browser measures. */
export async function browserVersion() {
  const browser = await launchBrowser();
  const version = browser.version();
  await browser.close();
  return `Chromium ${version}`;
}

/** Opens a page of pages/; its measurements are `result`. */
async function openPage(context, origin, name) {
  const page = await context.newPage();
  await page.goto(`${origin}/?${name}`);
  return { page, result: await page.evaluate(() => globalThis.result) };
}

/** Runs each job once a round, in turns that begin with another job each time, and gathers what they answer. */
async function inTurns(rounds, jobs) {
  const names = Object.keys(jobs);
  const answers = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < names.length; i += 1) {
      const name = names[(i + round) % names.length];
      answers[name].push(await jobs[name]());
    }
  }
  return answers;
}

const COLD = ['kith', 'hnswlib', 'hnswlib-bare', 'minisearch'];

/** Milliseconds from navigation to the first call possible, each time with nothing cached; and the sizes of it all. */
export async function coldStarts(origin, rounds) {
  const browser = await launchBrowser();
  const found = {};
  const visit = async (name) => {
    const context = await browser.newContext();
    const { page, result } = await openPage(context, origin, `cold/${name}`);
    found[name] ??= await loaded(page);
    await context.close();
    return result;
  };
  // The first page of a browser also starts the browser.
  for (const name of COLD) await visit(name);
  const times = await inTurns(rounds, Object.fromEntries(COLD.map((name) => [name, () => visit(name)])));
  await browser.close();
  return Object.fromEntries(COLD.map((name) => [name, { ms: middle(times[name]), ...sizes(found[name]) }]));
}

/** What an engine's page fetched of the engine. */
async function loaded(page) {
  const urls = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  const engine = urls.filter((url) => /\/(kithdb|peers)\//.test(url));
  const contents = engine.map(async (url) => [new URL(url).pathname, Buffer.from(await (await fetch(url)).arrayBuffer())]);
  return Object.fromEntries(await Promise.all(contents));
}

/** What is opened again, with the page that saves it and what that is told to. */
const SAVED = {
  'kith-vectors': ['kith', 'vectors'], hnswlib: ['hnswlib'], 'kith-words': ['kith', 'words'], minisearch: ['minisearch'],
  'orama-words': ['orama', 'words'], 'kith-both': ['kith', 'both'], 'orama-both': ['orama', 'both'],
};

/** Many vectors, and the bytes they are, which are saved with them. */
const MANY = { 'kith-rows': ['kith', 'rows'], raw: undefined };

/** What of the documents is opened again, by several engines. */
export const savedOpenings = (origin, rounds) => openings(origin, rounds, SAVED);

/** Many vectors beside their bytes. */
export const reopenings = (origin, rounds) => openings(origin, rounds, MANY);

/** Saves everything in one profile; then starts the browser again for each opening. */
async function openings(origin, rounds, all) {
  const profile = await mkdtemp(join(tmpdir(), 'kithdb-profile-'));
  try {
    const saved = await saveAll(profile, origin, all);
    const open = async (name) => {
      const browser = await launchProfile(profile);
      const { result } = await openPage(browser.context, origin, `saved/${name}`);
      await browser.close();
      if (result.hits === 0) throw new Error(`${name} found nothing in what was saved`);
      return result;
    };
    const names = Object.keys(all);
    const times = await inTurns(rounds, Object.fromEntries(names.map((name) => [name, () => open(name)])));
    return Object.fromEntries(names.map((name) => [name, {
      save_ms: saved[name],
      from_navigation_ms: middle(times[name].map(({ end }) => end)),
      open_ms: middle(times[name].map(({ start, end }) => end - start)),
      wasm_bytes: times[name][0].memory,
      bytes: times[name][0].bytes,
    }]));
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function saveAll(profile, origin, all) {
  const browser = await launchProfile(profile);
  const milliseconds = {};
  for (const [name, [page, kind]] of Object.entries(all).filter(([, by]) => by)) {
    const opened = await openPage(browser.context, origin, page);
    milliseconds[name] = (await opened.page.evaluate((what) => globalThis.bench.save(what), kind)).total;
    await opened.page.close();
  }
  await browser.close();
  return milliseconds;
}

/** A page of an engine in which the methods of `globalThis.bench` can be called. */
async function engine(browser, origin, name) {
  const context = await browser.newContext();
  const { page } = await openPage(context, origin, name);
  const session = await context.newCDPSession(page);
  const call = (method, ...given) => page.evaluate(([m, all]) => globalThis.bench[m](...all), [method, given]);
  const heap = async () => {
    await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  };
  return { call, heap, session, close: () => context.close() };
}

/** Builds in a new page each time, in turns; the pages of the last turn stay. */
async function builds(browser, origin, rounds, kind, names) {
  const pages = {};
  const build = async (name) => {
    await pages[name]?.close();
    pages[name] = await engine(browser, origin, name);
    const before = await pages[name].heap();
    const built = await pages[name].call('build', kind);
    return { ...built, heap: await pages[name].heap() - before };
  };
  const all = await inTurns(rounds, Object.fromEntries(names.map((name) => [name, () => build(name)])));
  const figures = Object.fromEntries(names.map((name) => {
    const { memory, heap, segments, indexed } = all[name].at(-1);
    const part = (of) => (of in all[name][0] ? median(all[name].map((one) => one[of])) : undefined);
    const milliseconds = { build_ms: middle(all[name].map(({ total }) => total)), write_ms: part('write'), settle_ms: part('settle') };
    return [name, { ...milliseconds, wasm_bytes: memory, js_bytes: heap, segments, indexed }];
  }));
  return { pages, figures };
}

/** Who has but one setting. */
const EFS_OF = { edgevec: [100] };

/** Vectors: recall and speed of all at each `ef`. `isRight[i](id)` says whether an id belongs to the answer. */
export async function vectors(origin, { rounds, isRight, efs, others = [] }) {
  const browser = await launchBrowser();
  const names = ['kith', 'hnswlib', ...others];
  const { pages, figures } = await builds(browser, origin, Math.min(rounds, 3), 'vectors', names);
  const efsOf = (name) => EFS_OF[name] ?? efs;
  const right = (answers) => answers.flatMap((ids, i) => ids.map(isRight[i])).filter(Boolean).length;
  const recall = (answers) => right(answers) / (answers.length * 10);
  for (const name of Object.keys(pages)) {
    const points = figures[name].points = [];
    for (const ef of efsOf(name)) {
      // Asked once before it is timed: this also warms up.
      points.push({ ef, recall: recall(await pages[name].call('answers', 'vectors', { ef })) });
      await pages[name].call('time', 'vectors', { ef });
    }
  }
  // All engines at one ef, then all at the next.
  const jobs = efs.flatMap((_, i) => Object.entries(pages).filter(([name]) => i < efsOf(name).length).map(([name, page]) =>
    [`${name} ${i}`, () => page.call('time', 'vectors', { ef: efsOf(name)[i] })]));
  const times = await inTurns(rounds, Object.fromEntries(jobs));
  for (const name of Object.keys(pages)) {
    figures[name].points.forEach((point, i) => Object.assign(point, latency(times[`${name} ${i}`])));
  }
  const more = await ofOurs(pages.kith, rounds, 'vectors');
  const exactly = await pages.kith.call('answers', 'vectors', { exact: true });
  const exact = { recall: recall(exactly), ...latency([await pages.kith.call('time', 'vectors', { exact: true })]) };
  const byDefault = recall(await pages.kith.call('answers', 'vectors', {}));
  Object.assign(figures.kith, { default: { recall: byDefault, ...more.sync }, async: more.async, in_module: more.in_module, exact });
  await browser.close();
  return figures;
}

/** Milliseconds that an index takes in a Worker by the number of its threads, a page and an engine of its own each time. */
export async function threads(origin, { rounds, counts }) {
  const browser = await launchBrowser();
  const build = async (count) => {
    const page = await engine(browser, origin, 'kith');
    const { settle, indexed } = await page.call('build', 'vectors', { worker: true, threads: count });
    await page.close();
    if (indexed !== 1) throw new Error(`${indexed} segments have an index, not the one that was to be built`);
    return settle;
  };
  const times = await inTurns(rounds, Object.fromEntries(counts.map((count) => [count, () => build(count)])));
  await browser.close();
  return counts.map((count) => ({ threads: count, ...middle(times[count]) }));
}

/** Words: the speed of KithDB and of MiniSearch, as it is and with stems and stop words, and how often they find the same. */
export async function words(origin, { rounds }) {
  const browser = await launchBrowser();
  const { pages, figures } = await builds(browser, origin, Math.min(rounds, 3), 'words', ['kith', 'minisearch', 'stemmed']);
  const answers = {};
  for (const name of Object.keys(pages)) {
    answers[name] = await pages[name].call('answers', 'words');
    await pages[name].call('time', 'words');
  }
  const jobs = Object.entries(pages).map(([name, page]) => [name, () => page.call('time', 'words')]);
  const times = await inTurns(rounds, Object.fromEntries(jobs));
  for (const name of Object.keys(pages)) Object.assign(figures[name], latency(times[name]));
  for (const name of ['minisearch', 'stemmed']) {
    const common = answers.kith.map((ids, i) => ids.filter((id) => answers[name][i].includes(id)).length);
    figures[name].common_of_10 = common.reduce((a, b) => a + b, 0) / common.length;
  }
  const { async, in_module } = await ofOurs(pages.kith, rounds, 'words');
  Object.assign(figures.kith, { async, in_module });
  await browser.close();
  return figures;
}

/** Both parts at once, ours alone, with the embedder in the page. */
export async function hybrid(origin, { rounds }) {
  const browser = await launchBrowser();
  const { pages, figures } = await builds(browser, origin, 1, 'hybrid', ['kith']);
  await pages.kith.call('time', 'hybrid');
  const { sync, async, in_module } = await ofOurs(pages.kith, rounds, 'hybrid');
  await browser.close();
  return { ...figures.kith, ...sync, async, in_module };
}

/** What only our interface has: both ways to ask, and how much of a call is in the module. */
async function ofOurs(page, rounds, kind) {
  const times = await inTurns(rounds, {
    sync: () => page.call('time', kind, {}),
    async: () => page.call('timeAsync', kind, {}),
  });
  return { sync: latency(times.sync), async: latency(times.async), in_module: await page.call('share', kind, {}) };
}
