// Who is the writer of a database that tabs share, where tabs stop at the worst moment: one tab is real, the others are played.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KithError } from '../../../js/dist/errors.js';
import { channelLink } from '../../../js/dist/rpc/link.js';
import { Server } from '../../../js/dist/rpc/server.js';
import { VERSION } from '../../../js/dist/rpc/version.js';
import { Names } from '../../../js/dist/tabs/names.js';
import { openShared } from '../../../js/dist/tabs/tabs.js';
import { after } from '../support.mjs';
import { Locks } from './browser-locks.mjs';
import { refused, turn } from './support.mjs';

const locks = new Locks();
Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });

// A writer that has closed answers for ten seconds more, for which no test waits.
const { setTimeout: timer } = globalThis;
globalThis.setTimeout = (go, ms, ...rest) => (ms < 10_000 ? timer(go, ms, ...rest) : timer(go, ms, ...rest).unref());

/** A tab looks often, and takes a writer for gone that says nothing three times. */
const PATIENCE = { ms: 20, looks: 3 };

/** No tab has a copy here: the writer is asked for everything. */
const PARTS = {
  prepare: () => Promise.reject(new Error('there are no copies')),
  openStore: () => Promise.reject(new Error('there are no copies')),
};

let last = 0;

/** A database of its own for each test, and what is said on its channel. */
function database(t) {
  last += 1;
  const names = new Names(`films${last}`);
  const channel = new BroadcastChannel(names.all);
  const said = [];
  const listeners = [];
  channel.onmessage = ({ data }) => {
    said.push(data);
    for (const listener of listeners) listener(data);
  };
  after(t, () => channel.close());
  const say = (message) => channel.postMessage({ version: VERSION, ...message });
  return { name: `films${last}`, names, said, say, listeners };
}

/** Holds a lock until the test ends, somebody steals it, or what it answers is called. */
async function held(t, name, options = {}) {
  let release;
  await new Promise((taken) => {
    const ended = locks.request(name, options, () => new Promise((go) => { release = go; taken(); }));
    ended.catch(() => {});
  });
  after(t, release);
  return release;
}

/** A writer that is played: it has the lock, makes links to who looks for it, and answers by `answer`, or nothing. */
async function played(t, { names, say, listeners }, epoch, answer) {
  const writer = { isListening: true, release: await held(t, names.writer, { steal: true }) };
  listeners.push(({ hello }) => {
    if (hello === undefined || !writer.isListening) return;
    if (answer) {
      const link = channelLink(names.link(epoch, hello));
      const server = new Server(link, answer);
      after(t, () => server.close());
    }
    say({ writer: epoch, to: hello });
  });
  return writer;
}

/** What a real tab opens: keys and values, which `stored` has. */
function opened({ epoch, stored, closing = async () => {} }) {
  let isClosed = false;
  return {
    epoch,
    abandon: () => {},
    heed: () => {},
    database: {
      kvGet: async (key) => stored.get(key),
      kvSet: async (key, value) => {
        if (isClosed) throw new KithError({ code: 'closed', message: 'the database is closed' });
        stored.set(key, value);
        return false;
      },
      flush: async () => {},
      close: async () => {
        isClosed = true;
        await closing();
      },
    },
  };
}

/** A promise and what settles it. */
function gate() {
  const one = {};
  one.passed = new Promise((open, fail) => Object.assign(one, { open, fail }));
  return one;
}

async function until(look) {
  while (!look()) await new Promise((go) => setTimeout(go, 5));
}

// Everybody who wanted to follow a silent writer let the first of them go first, for ever.
test('a tab that stops while it takes over is followed by another one', async (t) => {
  const at = database(t);
  const silent = await played(t, at, 1);
  const stored = new Map([['k', 'v']]);
  const tab = await openShared(at.name, async () => opened({ epoch: 2, stored }), PARTS, PATIENCE);
  after(t, () => tab.close());
  // Another one has begun to take over: it has both locks, and says nothing from then on.
  silent.isListening = false;
  await held(t, at.names.takeover);
  await held(t, at.names.writer, { steal: true });
  assert.equal(await tab.kvGet('k'), 'v');
});

// It raised the epoch after the next writer had, and answered writes that this one, which heard of nothing, did not see.
test('a tab that stopped while it opened the database is not the writer beside the next one', async (t) => {
  const at = database(t);
  const [stopped, stored] = [gate(), new Map()];
  let closes = 0;
  const closing = async () => void (closes += 1);
  const open = async () => {
    await stopped.passed;
    return opened({ epoch: 3, stored: new Map(), closing });
  };
  const joining = openShared(at.name, open, PARTS, PATIENCE);
  await until(() => at.said.some((message) => 'opening' in message));
  await played(t, at, 2, async ({ verb, args: [key, value] }) => (verb === 'kvSet' ? void stored.set(key, value) : stored.get(key)));
  await turn();
  stopped.open();
  const tab = await joining;
  after(t, () => tab.close());
  await tab.kvSet('k', 'v');
  assert.equal(stored.get('k'), 'v', 'the next writer has it');
  assert.equal(closes, 1);
  assert.ok(!at.said.some(({ writer }) => writer === 3));
});

// The browser had broken off what it was at, and the tab took that for the end of the database. Until then it said that it opens
// it to whoever looked for the writer, and they left the one that answered.
test('a tab whose opening was broken off while it was stopped follows the next writer', async (t) => {
  const at = database(t);
  const stopped = gate();
  const joining = openShared(at.name, () => stopped.passed, PARTS, PATIENCE);
  await until(() => at.said.some((message) => 'opening' in message));
  await played(t, at, 2, async () => 'v');
  await turn();
  at.said.length = 0;
  at.say({ hello: 'another' });
  await new Promise((go) => setTimeout(go, 50));
  assert.ok(!at.said.some((message) => 'opening' in message));
  stopped.fail(new KithError({ code: 'io_failed', message: 'the transaction was aborted' }));
  const tab = await joining;
  after(t, () => tab.close());
  assert.equal(await tab.kvGet('k'), 'v');
});

test('a database that cannot be opened is told so to who is the writer', async (t) => {
  const at = database(t);
  const open = () => Promise.reject(new KithError({ code: 'io_failed', message: 'the disk is gone' }));
  await refused('io_failed', () => openShared(at.name, open, PARTS, PATIENCE));
});

// All who heard it left the next writer.
test('a writer that was followed and is closing does not say that it opens the database', async (t) => {
  const at = database(t);
  const closed = gate();
  let isClosing = false;
  const closing = () => {
    isClosing = true;
    return closed.passed;
  };
  const tab = await openShared(at.name, async () => opened({ epoch: 1, stored: new Map(), closing }), PARTS, PATIENCE);
  after(t, () => tab.close());
  await played(t, at, 2, async () => 'v');
  await until(() => isClosing);
  at.said.length = 0;
  at.say({ hello: 'another' });
  await new Promise((go) => setTimeout(go, 50));
  assert.deepEqual(at.said, []);
  // It does not end its own looking for the next one, either.
  const found = tab.kvGet('k');
  await new Promise((go) => setTimeout(go, 3 * PATIENCE.ms));
  closed.open();
  assert.equal(await found, 'v');
});

// What the last writer refused was asked again after what was asked behind it.
test('writes are done in their order when the writer changes between them', async (t) => {
  const at = database(t);
  const [refuses, done] = [gate(), []];
  const first = await played(t, at, 1, async ({ args: [, value] }) => {
    await refuses.passed;
    throw new KithError({ code: 'closed', message: `the database is closed: ${value} is not done` });
  });
  const tab = await openShared(at.name, async () => opened({ epoch: 9, stored: new Map() }), PARTS, { ...PATIENCE, looks: 1000 });
  after(t, () => tab.close());
  const writes = [tab.kvSet('k', 'one')];
  await new Promise((go) => setTimeout(go, 10));
  first.isListening = false;
  at.say({ opening: 'another' });
  await new Promise((go) => setTimeout(go, 10));
  writes.push(tab.kvSet('k', 'two'));
  refuses.open();
  await turn();
  await played(t, at, 2, async ({ args: [, value] }) => void done.push(value));
  await Promise.all(writes);
  assert.deepEqual(done, ['one', 'two']);
});

// Those that waited for the first of two writers did not wait for the second, which the refused one had been asked of.
test('writes are done in their order when the writer changes twice', async (t) => {
  const at = database(t);
  const done = [];
  const refusing = (refuses) => async ({ args: [, value] }) => {
    await refuses.passed;
    throw new KithError({ code: 'closed', message: `the database is closed: ${value} is not done` });
  };
  const gates = [gate(), gate()];
  const later = () => new Promise((go) => setTimeout(go, 30));
  const first = await played(t, at, 1, refusing(gates[0]));
  const tab = await openShared(at.name, async () => opened({ epoch: 9, stored: new Map() }), PARTS, { ...PATIENCE, looks: 1000 });
  after(t, () => tab.close());
  const one = tab.kvSet('k', 'one');
  await later();
  first.isListening = false;
  const second = await played(t, at, 2, refusing(gates[1]));
  at.say({ writer: 2 });
  await later();
  const two = tab.kvSet('k', 'two');
  gates[0].open();
  // What the first one refuses is asked of the second, which is followed at that moment.
  second.isListening = false;
  await played(t, at, 3, async ({ args: [, value] }) => void done.push(value));
  at.say({ writer: 3 });
  await later();
  gates[1].open();
  await Promise.all([one, two]);
  assert.deepEqual(done, ['one', 'two']);
});

// One that was asked when the last writer had answered everything went ahead of those that had waited for that.
test('writes that waited for the last writer go ahead of what is asked once it has answered', async (t) => {
  const at = database(t);
  const [answers, done] = [gate(), []];
  const first = await played(t, at, 1, async ({ args: [, value] }) => {
    await answers.passed;
    done.push(value);
  });
  const tab = await openShared(at.name, async () => opened({ epoch: 9, stored: new Map() }), PARTS, { ...PATIENCE, looks: 1000 });
  after(t, () => tab.close());
  const one = tab.kvSet('k', 'one');
  await new Promise((go) => setTimeout(go, 10));
  first.isListening = false;
  await played(t, at, 2, async ({ args: [, value] }) => void done.push(value));
  at.say({ writer: 2 });
  await new Promise((go) => setTimeout(go, 30));
  const two = tab.kvSet('k', 'two');
  answers.open();
  await one;
  await Promise.all([two, tab.kvSet('k', 'three')]);
  assert.deepEqual(done, ['one', 'two', 'three']);
});

test('a write that waits for the last writer is done before the database is closed', async (t) => {
  const at = database(t);
  const [answers, stored] = [gate(), new Map()];
  const first = await played(t, at, 1, () => answers.passed);
  const patience = { ...PATIENCE, looks: 1000 };
  const tab = await openShared(at.name, async () => opened({ epoch: 2, stored }), PARTS, patience);
  after(t, () => tab.close());
  const one = tab.kvSet('k', 'one');
  await new Promise((go) => setTimeout(go, 10));
  first.isListening = false;
  first.release();
  await until(() => at.said.some(({ writer }) => writer === 2));
  const two = tab.kvSet('k', 'two');
  answers.open();
  await one;
  await tab.close();
  await two;
  assert.equal(stored.get('k'), 'two');
});
