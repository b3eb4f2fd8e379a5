// The store in the origin private file system, over a directory in memory: what is left when it stops at any call, when the power
// is cut there, and when there is no room at any write. What it should hold is what a map in memory holds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';

import { DATA, FORMAT, HEAD_BYTES, decodeHead, decodePointer, encodeHead } from '../../../js/dist/opfs/header.js';
import { storeIn } from '../../../js/dist/opfs/store.js';
import { FakeDirectory } from './directory.mjs';
import { Disk } from './store.mjs';

const bytes = (length, seed) => Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 31 + (i >> 8)) & 255);
const piece = (offset, length) => ({ kind: 'blob', storage: 1, blob: 1, type: 3, offset, total: 9000, bytes: bytes(9000, 5).subarray(offset, offset + length) });

/** A database that is made, written, sealed and dropped; each batch as the engine might queue it. */
const BATCHES = [
  [{ kind: 'flip', storage: 0, generation: 1, bytes: bytes(100, 1) }],
  [{ kind: 'log', storage: 1, generation: 0, bytes: bytes(40, 2) }, { kind: 'flip', storage: 1, generation: 1, bytes: bytes(90, 3) }, { kind: 'flip', storage: 0, generation: 2, bytes: bytes(120, 4) }],
  [{ kind: 'append', storage: 1, generation: 0, bytes: bytes(500, 6) }, { kind: 'append', storage: 1, generation: 0, bytes: bytes(300, 7) }],
  [{ kind: 'setAside', storage: 1, generation: 0, from: 640 }],
  [{ kind: 'append', storage: 1, generation: 0, bytes: bytes(200, 8) }, { kind: 'sync' }],
  [piece(0, 5000)],
  [piece(5000, 4000), { kind: 'log', storage: 1, generation: 1, bytes: bytes(40, 9) }, { kind: 'flip', storage: 1, generation: 2, bytes: bytes(95, 10) }, { kind: 'append', storage: 1, generation: 1, bytes: bytes(60, 11) }],
  [{ kind: 'flip', storage: 1, generation: 3, bytes: bytes(95, 12) }, { kind: 'flip', storage: 1, generation: 4, bytes: bytes(96, 15) }, { kind: 'removeManifest', storage: 1, generation: 1 }, { kind: 'removeLog', storage: 1, generation: 0 }, { kind: 'flip', storage: 0, generation: 3, bytes: bytes(80, 13) }],
  [{ kind: 'flip', storage: 0, generation: 4, bytes: bytes(70, 14) }, { kind: 'removeStorage', storage: 1 }],
];

/** Everything that a snapshot and the blobs hold, as texts by name. */
async function held(snapshot, read) {
  const all = new Map();
  for (const { number, current, manifests, logs, blobs } of snapshot.storages) {
    if (current !== null) all.set(`${number} current`, String(current));
    for (const { generation, bytes } of manifests) all.set(`${number} manifest ${generation}`, String(bytes));
    for (const { generation, bytes } of logs) all.set(`${number} log ${generation}`, String(bytes));
    for (const { blob, type, length } of blobs) {
      const pieces = [];
      await read(number, blob, (offset, bytes) => pieces.push([offset, ...bytes]));
      all.set(`${number} blob ${blob} ${type}`, `${length}: ${pieces.flatMap(([, ...bytes]) => bytes)}`);
    }
  }
  return all;
}

async function oracle(works) {
  const disk = new Disk();
  for (const work of works) disk.apply(work);
  const read = async (storage, blob, take) => disk.of(storage).blobs.get(blob).pieces.forEach((piece) => take(...piece));
  return held(disk.snapshot(), read);
}

const storedIn = async (store) => held(await store.snapshot(), store.read.bind(store));
const same = (a, b) => a.size === b.size && [...a].every(([name, text]) => b.get(name) === text);
const isStrict = (work) => work.some(({ kind }) => kind !== 'append' && !kind.startsWith('remove'));
const commit = (store, work) => store.commit({ ticket: 1, strict: isStrict(work), work });

/**
 * Whether `found` is what may be left of one of `states` from `first` to `last`, each the next piece of work after the one before:
 * what is removed may go later, the last append may be there by half, and a manifest may be there to which no pointer points yet. Of
 * `torn`, storages whose pointer is there by half, the newest manifest holds, which was there before.
 */
function isLeftOf(states, first, last, found, torn = new Set()) {
  return states.slice(first, last + 1).some((state, i) => {
    const next = states[first + i + 1] ?? state;
    const known = states.slice(0, first + i + 2);
    const isTorn = (name, text = '') => name.includes(' log ') && text.startsWith(state.get(name)) && next.get(name)?.startsWith(text);
    const isNewest = (name, text) => torn.has(name) && !found.has(name) && newestOf(found, name) >= Number(text);
    const isKept = ([name, text]) => found.get(name) === text || isTorn(name, found.get(name)) || isNewest(name, text);
    const isCurrent = ([name, text]) => !name.endsWith(' current') || !state.has(name) || state.get(name) === text;
    const isKnown = ([name, text]) => isTorn(name, text) || known.some((one) => one.get(name) === text);
    return [...state].every(isKept) && [...found].every((one) => isKnown(one) && isCurrent(one));
  });
}

/** The generation of the newest manifest beside a pointer. */
function newestOf(found, pointer) {
  const prefix = pointer.replace(' current', ' manifest ');
  return Math.max(...[...found.keys()].filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length))));
}

/** The names of the pointers that are there by half. */
async function tornPointers(directory) {
  const torn = new Set();
  for await (const name of directory.keys()) {
    const file = await (await directory.getFileHandle(name)).getFile();
    const all = new Uint8Array(await file.arrayBuffer());
    const { kind, storage } = decodeHead(all.slice(0, HEAD_BYTES));
    if (kind === 'pointer' && decodePointer(all.slice(DATA))?.generation === null) torn.add(`${storage} current`);
  }
  return torn;
}

/** The state after each piece of work. */
const STATES = await Promise.all(Array.from({ length: BATCHES.flat().length + 1 }, (_, count) => oracle(BATCHES.flat().slice(0, count))));

const isPointer = (bytes) => decodeHead(bytes.slice(0, HEAD_BYTES)).kind === 'pointer';
for (const [what, isWritten] of [
  ['is stopped at any call', undefined],
  ['is stopped there by a power cut', () => false],
  ['is stopped so when pointers were on the disk before the rest', isPointer],
]) {
  test(`what ${what} leaves what was stored so far`, async (t) => {
    for (let at = 1; ; at += 1) {
      const directory = new FakeDirectory();
      const store = storeIn(directory, 'films');
      await store.snapshot();
      directory.fault = { kind: 'stop', at };
      // What was acknowledged, and of that what has to survive a power cut.
      let [batches, works, kept] = [0, 0, 0];
      try {
        for (const work of BATCHES) {
          await commit(store, work);
          batches += 1;
          works += work.length;
          if (!isWritten || isStrict(work)) kept = works;
        }
      } catch (error) {
        assert.ok(['io_failed', 'storage_lost'].includes(error.code), error.stack);
      }
      if (isWritten) directory.cutPower(isWritten);
      directory.fault = { kind: 'none' };
      await store.close();
      if (batches === BATCHES.length) {
        assert.ok(at > 60, `${at} calls`);
        return t.diagnostic(`${at - 1} stops`);
      }
      const torn = await tornPointers(directory);
      const again = storeIn(directory, 'films');
      const found = await storedIn(again);
      const last = works + BATCHES[batches].length;
      assert.ok(isLeftOf(STATES, kept, last, found, torn), `stopped at call ${at}: ${[...found.keys()]}`);
      await again.close();
      assert.equal(directory.counts.open, 0);
    }
  });
}

test('what has no room at any write leaves nothing, and is stored when it comes again', async (t) => {
  for (let at = 1; ; at += 1) {
    const directory = new FakeDirectory();
    const store = storeIn(directory, 'films');
    await store.snapshot();
    directory.fault = { kind: 'full', at };
    let isRefused = false;
    for (const [i, work] of BATCHES.entries()) {
      const refusal = await commit(store, work).then(() => undefined, (error) => error);
      if (!refusal) continue;
      isRefused = true;
      assert.equal(refusal.code, 'disk_full', refusal.stack);
      const before = await oracle(BATCHES.slice(0, i).flat());
      assert.deepEqual(await storedIn(store), before, `no room at write ${at}`);
      // Of a blob that was begun nothing is left: the engine makes it anew.
      await commit(store, [...(work[0].offset > 0 ? BATCHES[i - 1] : []), ...work]);
    }
    assert.deepEqual(await storedIn(store), STATES.at(-1), `no room at write ${at}`);
    await store.close();
    if (isRefused) continue;
    assert.ok(at > 30, `${at} writes`);
    return t.diagnostic(`${at - 1} writes`);
  }
});

// What a flip inside of a refused batch had made durable was taken back, but not durably: after a power cut it was there again,
// beside what was stored under its number meanwhile.
test('what was refused does not come back by a power cut', async () => {
  for (let at = 1, isRefused = true; isRefused; at += 1) {
    const directory = new FakeDirectory();
    const store = storeIn(directory, 'films');
    await store.snapshot();
    directory.fault = { kind: 'full', at };
    isRefused = false;
    let [works, kept] = [0, 0];
    for (const work of BATCHES) {
      isRefused = await commit(store, work).then(() => false, () => true);
      if (isRefused) break;
      works += work.length;
      if (isStrict(work)) kept = works;
    }
    directory.fault = { kind: 'none' };
    directory.cutPower(() => false);
    const again = storeIn(directory, 'films');
    const [found, known] = [await storedIn(again), STATES.slice(0, works + 1)];
    const isTorn = (name, text) => name.includes(' log ') && known.some((state) => state.get(name)?.startsWith(text));
    for (const [name, text] of found) {
      assert.ok(isTorn(name, text) || known.some((state) => state.get(name) === text), `${name}, no room at write ${at}`);
    }
    for (const name of STATES[kept].keys()) {
      assert.ok(found.has(name) || known.slice(kept).some((state) => !state.has(name)), `${name}, no room at write ${at}`);
    }
    await again.close();
  }
});

test('few files are open, and those of what is gone are used again', async () => {
  const directory = new FakeDirectory();
  const store = storeIn(directory, 'films');
  await store.snapshot();
  const most = { files: 0, open: 0 };
  for (let round = 0; round < 200; round += 1) {
    const [storage, generation] = [1 + round, 0];
    await commit(store, [{ kind: 'log', storage, generation, bytes: bytes(40, round) }, { kind: 'flip', storage, generation, bytes: bytes(90, round) }]);
    if (round >= 50) await commit(store, [{ kind: 'removeStorage', storage: storage - 50 }]);
    for (const what of ['files', 'open']) most[what] = Math.max(most[what], directory.counts[what]);
  }
  assert.ok(most.open <= 33 && most.files <= 51 * 3, JSON.stringify(most));
  assert.equal((await store.snapshot()).storages.length, 50);
  await store.close();
});

test('a check reads what is stored between two batches, and nothing once the store is closed', async () => {
  const directory = new FakeDirectory();
  const store = storeIn(directory, 'films');
  await store.snapshot();
  const length = async (generation) => {
    let read = 0;
    return (await store.readAt(1, generation, 1, (offset, bytes) => (read = offset + bytes.length))) && read;
  };
  for (const [i, work] of BATCHES.entries()) {
    // Asked for at once, as a check and a write are: no file may be opened by both.
    const asked = Promise.all([store.overview(), store.snapshotOf(1), length(2), commit(store, work), store.overview(), store.snapshotOf(1), length(2)]);
    const disks = [i, i + 1].map((count) => {
      const disk = new Disk();
      for (const done of BATCHES.slice(0, count).flat()) disk.apply(done);
      return disk.snapshot().storages;
    });
    const seen = await asked;
    for (const [at, storages] of disks.entries()) {
      const [overview, one, read] = seen.slice(4 * at);
      const [catalog, other] = [0, 1].map((number) => storages.find((storage) => storage.number === number));
      const objects = storages.reduce((sum, { manifests, logs, blobs }) => sum + manifests.length + logs.length + blobs.length, 0);
      assert.deepEqual(overview, { catalog, others: other ? [1] : [], objects }, `batch ${i}`);
      // A blob of which not all has come is being written, not left.
      assert.deepEqual(one, other && { ...other, leftovers: [] }, `batch ${i}`);
      assert.equal(read, other?.current === 2 && 9000, `batch ${i}`);
    }
  }
  const late = store.overview();
  await Promise.all([store.close(), assert.rejects(late, { code: 'closed' })]);
  await assert.rejects(store.readAt(0, 4, 1, () => {}), { code: 'closed' });
  assert.equal(directory.counts.open, 0);
});

// Nobody knows what a system does with what it could not flush: it is not asked once more.
for (const [kind, least] of [['flush', 20], ['truncate', 10], ['stuck', 30]]) {
  const what = { flush: 'a flush that fails ends the store', truncate: 'a cut that fails refuses no more than its batch', stuck: 'what cannot be taken back ends the store' }[kind];
  test(`${what}, and what was stored is there`, async (t) => {
    for (let at = 1; ; at += 1) {
      const directory = new FakeDirectory();
      const store = storeIn(directory, 'films');
      await store.snapshot();
      directory.fault = { kind, at };
      let [works, kept, refusal] = [0, 0, undefined];
      for (const work of BATCHES) {
        refusal = await commit(store, work).then(() => undefined, (error) => error);
        if (refusal) break;
        works += work.length;
        if (isStrict(work)) kept = works;
      }
      const wasReached = directory.calls >= at;
      const isFinal = refusal?.code === 'storage_lost';
      if (isFinal) await assert.rejects(store.snapshot(), { code: 'storage_lost' });
      else if (refusal) assert.deepEqual([kind, refusal.code], ['truncate', 'io_failed'], refusal.stack);
      assert.ok(kind !== 'flush' || !wasReached || isFinal, `${kind} ${at}`);
      directory.fault = { kind: 'none' };
      await store.close();
      const again = storeIn(directory, 'films');
      const found = await storedIn(again);
      const last = isFinal ? works + BATCHES.flat().length : works;
      assert.ok(isLeftOf(STATES, kept, Math.min(last, STATES.length - 1), found), `${kind} ${at}: ${[...found.keys()]}`);
      await again.close();
      assert.equal(directory.counts.open, 0);
      if (wasReached) continue;
      assert.ok(at > least, `${at} calls`);
      return t.diagnostic(`${at - 1} calls`);
    }
  });
}

/** A page that is killed: what it wrote is where it was, its files are not open any more, and nothing becomes durable by that. */
const kill = (directory) => directory.cutPower(() => true);

/** A storage with a log, and a pointer that was set twice. */
async function begun(directory) {
  const store = storeIn(directory, 'films');
  await store.snapshot();
  for (const generation of [1, 2]) {
    await commit(store, [{ kind: 'log', storage: 1, generation, bytes: bytes(40, generation) }, { kind: 'flip', storage: 1, generation, bytes: bytes(90, generation) }]);
  }
  return store;
}

// Only what a life had written itself was flushed: a reload between a write and its flush left it to the system.
test('a flush makes durable what an earlier page wrote', async () => {
  const directory = new FakeDirectory();
  const store = await begun(directory);
  await commit(store, [{ kind: 'append', storage: 1, generation: 2, bytes: bytes(500, 3) }]);
  kill(directory);
  const next = storeIn(directory, 'films');
  const seen = await storedIn(next);
  await commit(next, [{ kind: 'sync' }]);
  directory.cutPower(() => false);
  assert.deepEqual(await storedIn(storeIn(directory, 'films')), seen);
  assert.ok(seen.get('1 log 2').length > 1000);
});

// The system may write the new one to the disk first: the core then misses what it begins behind.
test('a log is durable before the next one is begun', async () => {
  const directory = new FakeDirectory();
  const store = await begun(directory);
  await commit(store, [{ kind: 'append', storage: 1, generation: 2, bytes: bytes(500, 3) }]);
  await store.commit({ ticket: 1, strict: false, work: [{ kind: 'log', storage: 1, generation: 3, bytes: bytes(40, 4) }] });
  directory.cutPower(() => false);
  const found = await storedIn(storeIn(directory, 'films'));
  assert.equal(found.get('1 log 2'), String([...bytes(40, 2), ...bytes(500, 3)]));
  assert.equal(found.get('1 log 3'), String(bytes(40, 4)));
});

// The entry before it was taken for the truth, and what it did not name for left over: a collection was removed.
test('a pointer with a damaged entry says nothing, until it is set again', async () => {
  for (const damage of [(head) => { head[4096 + 8] ^= 1; }, (head) => { head[2 * 4096 + 8] ^= 1; }, (head) => head.subarray(0, 5000)]) {
    const directory = new FakeDirectory();
    await (await begun(directory)).close();
    for await (const name of directory.keys()) {
      const handle = await (await directory.getFileHandle(name)).createSyncAccessHandle();
      const all = new Uint8Array(handle.getSize());
      handle.read(all, { at: 0 });
      if (decodeHead(all.slice(0, HEAD_BYTES)).kind === 'pointer') {
        const damaged = damage(all) ?? all;
        handle.truncate(damaged.length);
        handle.write(damaged, { at: 0 });
        handle.flush();
      }
      handle.close();
    }
    const store = storeIn(directory, 'films');
    // The third write is that of the pointer: what is refused behind it is taken back from it, however short it was.
    Object.assign(directory, { calls: 0, fault: { kind: 'full', at: 4 } });
    for (const isRefused of [false, true]) {
      const flip = [{ kind: 'flip', storage: 1, generation: 3, bytes: bytes(90, 3) }, { kind: 'log', storage: 1, generation: 3, bytes: bytes(40, 3) }];
      if (isRefused) await assert.rejects(commit(store, flip), { code: 'disk_full' });
      const { storages } = await store.snapshot();
      assert.deepEqual([storages[0].current, storages[0].manifests.length], [null, 2]);
    }
    await commit(store, [{ kind: 'flip', storage: 1, generation: 3, bytes: bytes(90, 3) }]);
    await store.close();
    assert.equal((await storeIn(directory, 'films').snapshot()).storages[0].current, 3);
  }
});

// The whole database was taken for cleared by the browser.
test('a file that the browser has lost is missing, and nothing else is', async (t) => {
  const directory = new FakeDirectory();
  const whole = await begun(directory);
  const seen = await storedIn(whole);
  await whole.close();
  const names = [];
  for await (const name of directory.keys()) names.push(name);
  const getFileHandle = directory.getFileHandle.bind(directory);
  for (const lost of names) {
    t.mock.method(directory, 'getFileHandle', async (name, options) => {
      if (name === lost) throw new DOMException('', 'NotFoundError');
      return getFileHandle(name, options);
    });
    const store = storeIn(directory, 'films');
    const found = await storedIn(store);
    const missing = [...seen.keys()].filter((name) => found.get(name) !== seen.get(name));
    assert.equal(missing.length, 1, `${lost}: ${missing}`);
    await store.close();
  }
});

// Chromium never returns from closing a file of a directory that was cleared.
test('where everything is cleared while it is looked at, no file is closed', async (t) => {
  for (let at = 1; at <= 8; at += 1) {
    const directory = new FakeDirectory();
    const store = await begun(directory);
    await commit(store, [{ kind: 'removeLog', storage: 1, generation: 1 }, { kind: 'removeManifest', storage: 1, generation: 1 }]);
    await store.close();
    const getFileHandle = directory.getFileHandle.bind(directory);
    const gone = () => { throw new DOMException('', 'NotFoundError'); };
    let opened = 0;
    t.mock.method(directory, 'getFileHandle', async (name, options) => (opened < at ? ((opened += 1), getFileHandle(name, options)) : gone()));
    t.mock.method(directory, 'check', async () => opened < at || gone());
    const again = storeIn(directory, 'films');
    if (directory.counts.files < at) return assert.ok(at > 4);
    await assert.rejects(again.snapshot(), { code: 'storage_lost' });
    assert.equal(directory.counts.open, at);
  }
});

// Its file had a larger number than the new one's, which was durable: a life that makes nothing gives no numbers.
test('what an earlier life removed does not take the place of what has its number now', async () => {
  const directory = new FakeDirectory();
  const blob = (number, seed) => ({ kind: 'blob', storage: 1, blob: number, type: 1, offset: 0, total: 100, bytes: bytes(100, seed) });
  await commit(await begun(directory), [blob(5, 1), blob(6, 1), blob(7, 1)]);
  kill(directory);
  const second = storeIn(directory, 'films');
  await second.snapshot();
  await commit(second, [5, 6, 7].map((number) => ({ kind: 'removeBlob', storage: 1, blob: number, type: 1 })));
  await second.close();
  const third = storeIn(directory, 'films');
  await third.snapshot();
  await commit(third, [blob(7, 2)]);
  await third.close();
  directory.cutPower(() => false);
  const found = await storedIn(storeIn(directory, 'films'));
  assert.equal(found.get('1 blob 7 1'), `100: ${bytes(100, 2)}`);
});

// Its file was removed by the first step back, and not found by the second: that was taken for a database that is gone.
test('two pieces of a blob that have no room are taken back, also where there are empty files enough', async () => {
  const directory = new FakeDirectory();
  const store = storeIn(directory, 'films');
  await store.snapshot();
  for (let generation = 0; generation < 70; generation += 1) await commit(store, [{ kind: 'log', storage: 2, generation, bytes: bytes(40, 1) }]);
  await commit(store, [{ kind: 'removeStorage', storage: 2 }, piece(0, 3000)]);
  Object.assign(directory, { calls: 0, fault: { kind: 'full', at: 2 } });
  await assert.rejects(commit(store, [piece(3000, 3000), piece(6000, 3000)]), { code: 'disk_full' });
  directory.fault = { kind: 'none', at: 0 };
  assert.equal((await store.snapshot()).storages.length, 0);
});

test('a head of which a bit was flipped is damaged, and of no later version', () => {
  const head = { kind: 'blob', storage: 3, number: 2 ** 40, detail: 5, birth: 77 };
  const whole = encodeHead(head);
  assert.deepEqual(decodeHead(whole), head);
  for (let bit = 0; bit < 8 * HEAD_BYTES; bit += 1) {
    const flipped = whole.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    assert.equal(decodeHead(flipped), 'damaged', `bit ${bit}`);
  }
  const later = new DataView(whole.buffer);
  later.setUint32(8, FORMAT + 1, true);
  later.setUint32(HEAD_BYTES - 4, crc32(whole.subarray(0, HEAD_BYTES - 4)), true);
  assert.deepEqual(decodeHead(whole), { format: FORMAT + 1 });
});
