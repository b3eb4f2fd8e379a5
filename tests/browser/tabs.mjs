// Four pages that share a database and work on it, while pages are closed, crashed and frozen in between; then whether
// everything is there that was acknowledged.

import assert from 'node:assert/strict';

const PAGES = 4;
const KINDS = ['close', 'crash', 'freeze and thaw', 'freeze and close'];

export const later = (ms) => new Promise((go) => setTimeout(go, ms));

/** Waits until `look` answers true; how long a machine takes is its own business. */
export async function until(look) {
  while (!(await look())) await later(20);
}

/** Opens an empty page with `globalThis.tab`. */
export async function openTab(context, origin) {
  const page = await context.open(origin);
  await until(() => page.evaluate(() => globalThis.tab !== undefined));
  return page;
}

/** Which of these pages is the writer; none while it changes. */
export async function writerOf(pages) {
  for (const page of pages) {
    if (await page.evaluate(() => globalThis.tab.isWriter()).catch(() => false)) return page;
  }
  return undefined;
}

/** What all pages have told. */
class Told {
  acknowledged = new Set();
  deleting = new Set();
  deleted = new Set();
  unknown = new Set();
  wrong = [];

  take = (what, ids) => {
    if (what === 'wrong') this.wrong.push(...ids);
    else for (const id of ids) this[what].add(id);
  };
}

/** Works until `goesOn` says no, and checks everything; the figures. */
export async function fourPages({ context, origin, goesOn }) {
  const told = new Told();
  const figures = { acknowledged: 0, deleted: 0, unknown: 0, lost: 0, closed: 0, crashed: 0, frozen: 0, writers: 0 };
  const working = new Map();
  let last = 0;

  async function start() {
    const page = await openTab(context, origin);
    // Pages of a site may share a process, and its end.
    page.onCrash = () => working.delete(page);
    await page.expose('tell', told.take);
    await page.evaluate(async () => {
      tab.hurry();
      globalThis.joined = await tab.join();
    });
    last += 1;
    // It ends when it is told to stop, or with its page.
    working.set(page, page.evaluate((name) => globalThis.tab.work(name, globalThis.joined.collection), `p${last}`).catch(() => {}));
  }

  async function refill() {
    while (working.size < PAGES) await start();
  }

  /** Everybody goes on: a write is acknowledged after this moment. */
  async function progress() {
    const before = told.acknowledged.size;
    await until(() => told.acknowledged.size > before);
  }

  /** The writer; there may be none for a moment. */
  async function theWriter() {
    let writer;
    await until(async () => (writer = await writerOf([...working.keys()])) !== undefined);
    return writer;
  }

  async function stop(kind, victim, wasWriter) {
    if (kind.startsWith('freeze')) {
      await victim.setFrozen(true);
      figures.frozen += 1;
      const others = [...working.keys()].filter((page) => page !== victim);
      await progress();
      if (wasWriter) await until(async () => (await writerOf(others)) !== undefined);
      if (kind === 'freeze and thaw') return victim.setFrozen(false);
    }
    working.delete(victim);
    if (kind === 'crash') {
      await victim.crash();
      figures.crashed += 1;
    } else {
      figures.closed += 1;
    }
    await victim.close();
  }

  await refill();
  for (let round = 0; goesOn(round); round += 1) {
    await progress();
    await later(Math.random() * 300);
    const writer = await theWriter();
    const pages = [...working.keys()];
    // Two of three times it is the writer that goes.
    const victim = round % 3 < 2 ? writer : pages[Math.floor(Math.random() * pages.length)];
    if (victim === writer) figures.writers += 1;
    await stop(KINDS[round % KINDS.length], victim, victim === writer);
    await refill();
  }
  await progress();
  for (const page of working.keys()) await page.evaluate(() => { globalThis.isOver = true; });
  await Promise.all(working.values());
  const pages = [...working.keys()];
  const seen = await seenBy(pages);
  check(told, seen, figures);
  return { ...figures, acknowledged: told.acknowledged.size, deleted: told.deleted.size, unknown: told.unknown.size };
}

/** Everything that each page sees, once all were told of what was written last. */
async function seenBy(pages) {
  for (let looks = 1; ; looks += 1) {
    const seen = await Promise.all(pages.map((page) => page.evaluate(() => tab.everything(joined.collection))));
    const isSame = ({ ids, documents }) => ids.length === documents && ids.join() === seen[0].ids.join();
    if (seen.every(isSame) || looks === 200) return seen;
    await later(20);
  }
}

function check(told, seen, figures) {
  assert.deepEqual(told.wrong, []);
  for (const { ids, documents } of seen) {
    assert.equal(ids.length, documents);
    assert.deepEqual(ids, seen[0].ids, 'all pages see the same');
  }
  const there = new Set(seen[0].ids);
  assert.equal(there.size, seen[0].ids.length, 'no document is there twice');
  const lost = [...told.acknowledged].filter((id) => !there.has(id) && !told.deleting.has(id));
  figures.lost = lost.length;
  assert.deepEqual(lost, [], 'acknowledged and gone');
  assert.deepEqual([...told.deleted].filter((id) => there.has(id)), [], 'deleted and there');
  const unexplained = [...there].filter((id) => !told.acknowledged.has(id) && !told.unknown.has(id));
  // Those of pages that ended before they could tell; each page writes one batch of up to three at a time.
  const ended = figures.closed + figures.crashed;
  assert.ok(unexplained.length <= 3 * ended, `${unexplained} of pages that are gone`);
}
