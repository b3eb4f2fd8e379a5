// The copy of a follower, in the real module over a store in memory: whenever it answers, it answers as the writer does, whatever
// was written and whatever became of the segments; and when it cannot, it says so and catches up.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';

import { Doer } from '../../../js/dist/rpc/verbs.js';
import { flattened } from '../../../js/dist/engine/vectors.js';
import { Replica } from '../../../js/dist/tabs/replica.js';
import { Followers, told } from '../../../js/dist/tabs/told.js';
import { Instances } from '../../../js/dist/wasm/instance.js';
import { openBackend } from '../../../js/dist/wasm/open.js';
import { after } from '../support.mjs';
import { Disk, MemoryStore } from './store.mjs';
import { turn } from './support.mjs';

const BUILT = new URL('../../../js/dist/wasm/', import.meta.url);
/** The number of the kind of blob with what had ended in a segment. */
const ENDS = 7;
const SEED = Number(process.env.KITH_SEED ?? 7);

let module;
before(async () => {
  module = await import(new URL('kithdb_wasm.js', BUILT));
  await module.default({ module_or_path: await readFile(new URL('kithdb_wasm_bg.wasm', BUILT)) });
});

/** Numbers below another that look drawn, and are the same for a seed. */
function drawing(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A writer with a collection, and a copy of it that is told what is stored. `change` may change what is told and read. */
async function followed(t, change = {}) {
  const [disk, instances] = [new Disk(), new Instances(module, true)];
  const store = new MemoryStore(disk);
  const enter = async (inhabitant) => instances.enter(inhabitant);
  const backend = await openBackend(async () => ({ store, release: async () => {} }), undefined, enter);
  const writer = new Doer(backend);
  const readers = [];
  const openStore = async () => {
    readers.push(Object.assign(new MemoryStore(disk), change.reader?.(disk)));
    return readers.at(-1);
  };
  const parts = { prepare: async () => ({ enter, options: '{}', embedder: undefined }), openStore };
  const follow = async (isOn) => {
    store.onStored = isOn ? (work) => replica.take(change.told?.(told(work)) ?? told(work)) : undefined;
  };
  const replica = new Replica(parts, 1, follow);
  after(t, async () => {
    replica.end();
    await backend.close();
  });
  const ask = (verb, ...args) => writer.do({ of: 'films', verb, args });
  await writer.do({ verb: 'create', args: ['films', JSON.stringify({ text: {}, m: 4 })] });
  return { replica, writer, ask, readers, store, instances };
}

/** What is asked of both. */
function questions(draw) {
  const ids = Array.from({ length: 6 }, () => `f${draw(60)}`);
  const vector = () => Float32Array.of(draw(9), draw(9), 1);
  const text = JSON.stringify({ text: `word${draw(7)}`, k: 8, explain: true });
  const near = JSON.stringify({ k: 8, filter: `n < ${draw(9)}` });
  return [
    { of: 'films', verb: 'get', args: [ids] },
    { of: 'films', verb: 'versions', args: [ids[0]] },
    { of: 'films', verb: 'scan', args: [JSON.stringify({ limit: 100 })] },
    { of: 'films', verb: 'search', args: [text] },
    { of: 'films', verb: 'search', args: [near, vector()] },
    { of: 'films', verb: 'searchMany', args: [[near, text], flattened([vector(), undefined])] },
    { of: 'films', verb: 'graph', args: ['edges', JSON.stringify({ id: ids[0] })] },
    { of: 'films', verb: 'touches', args: [ids] },
    { verb: 'kvGet', args: ['k1'] },
    { verb: 'kvList', args: ['{}'] },
  ];
}

/** Whether the copy answers now; what it says is what the writer says. */
async function agree({ replica, writer }, asked) {
  const found = replica.read(asked);
  if (!found) return false;
  assert.deepEqual(found.value, await writer.do(asked), JSON.stringify(asked));
  return true;
}

/** Waits until the copy answers everything. */
async function agreeSoon(both, draw) {
  for (const asked of questions(draw)) {
    for (let turns = 0; !(await agree(both, asked)); turns += 1) {
      assert.ok(turns < 10_000, 'the copy never answers');
      await turn();
    }
  }
}

async function write(ask, draw, options) {
  const ids = [...new Set(Array.from({ length: 1 + draw(9) }, () => `f${draw(60)}`))];
  const vectors = flattened(ids.map(() => (draw(5) === 0 ? undefined : Float32Array.of(draw(9), draw(9), 1))));
  const metadata = ids.map((id) => JSON.stringify({ title: `word${draw(7)} word${draw(7)} of ${id}`, n: draw(9) }));
  await ask('write', ids, vectors, metadata, ids.map(() => undefined), true, options);
}

/** One change, drawn; some end in another manifest, some in another catalog. */
async function changed({ writer, ask }, draw) {
  const one = () => `f${draw(60)}`;
  switch (draw(12)) {
    case 0: return ask('delete', [one(), one()]);
    case 1: return ask('touch', [one()]);
    case 2: return ask('link', JSON.stringify({ edges: [{ source: one(), relation: 'r', target: `g${draw(60)}` }] }));
    case 3: return writer.do({ verb: 'kvSet', args: [`k${draw(3)}`, `${draw(100)}`] });
    case 4: return ask('run', 'seal');
    case 5: return ask('run', 'merge');
    case 6: return ask('run', 'index');
    case 7: return write(ask, draw, JSON.stringify({ bulk: true }));
    case 8: {
      await writer.do({ verb: 'create', args: ['other', '{}'] });
      await writer.do({ of: 'other', verb: 'write', args: [['x'], flattened([undefined]), [undefined], [undefined], true] });
      return writer.do({ verb: 'drop', args: ['other'] });
    }
    default: return write(ask, draw);
  }
}

test('whatever is written, sealed and merged, the copy answers as the writer or not at all', async (t) => {
  const draw = drawing(SEED);
  const both = await followed(t);
  let [atOnce, later] = [0, 0];
  for (let round = 0; round < 150; round += 1) {
    await changed(both, draw);
    for (const asked of questions(draw)) (await agree(both, asked)) ? (atOnce += 1) : (later += 1);
    if (draw(4) === 0) await agreeSoon(both, draw);
  }
  await agreeSoon(both, draw);
  t.diagnostic(`${atOnce} answers at once, ${later} that the writer would be asked for`);
  assert.ok(atOnce > later, `${atOnce} ${later}`);
});

test('frames that were not told are noticed by those that are told next, and read', async (t) => {
  const draw = drawing(SEED);
  let [isDeaf, renewals] = [false, 0];
  const both = await followed(t, {
    told: (items) => (isDeaf ? [] : items),
    reader: (disk) => ({
      async snapshotOf(storage) {
        renewals += 1;
        return MemoryStore.prototype.snapshotOf.call({ disk }, storage);
      },
    }),
  });
  await write(both.ask, draw);
  await agreeSoon(both, draw);
  for (let round = 0; round < 5; round += 1) {
    isDeaf = true;
    await write(both.ask, draw);
    isDeaf = false;
    await write(both.ask, draw);
    await agreeSoon(both, draw);
    assert.equal(renewals, round + 1);
  }
});

// Between two pieces that a copy reads, the writer may merge them away.
test('a storage that changes while it is read is read again', async (t) => {
  const draw = drawing(SEED);
  let changes = 0;
  const both = await followed(t, {
    reader: (disk) => ({
      async readAt(...args) {
        if (changes > 0) {
          changes -= 1;
          await write(both.ask, draw);
          await both.ask('run', 'seal');
        }
        return MemoryStore.prototype.readAt.apply({ disk, read: MemoryStore.prototype.read }, args);
      },
    }),
  });
  await write(both.ask, draw);
  await both.ask('run', 'seal');
  changes = 5;
  await agreeSoon(both, draw);
  assert.equal(changes, 0);
  changes = 5;
  await write(both.ask, draw);
  await both.ask('run', 'seal');
  await agreeSoon(both, draw);
  assert.equal(changes, 0);
});

test('blobs that are here are not brought again', async (t) => {
  const draw = drawing(SEED);
  const brought = [];
  const both = await followed(t, {
    reader: (disk) => ({
      readAt(...args) {
        const [storage, , blob] = args;
        // What had ended in a segment is read and not held; it is small.
        if (disk.of(storage).blobs.get(blob).type !== ENDS) brought.push(blob);
        return MemoryStore.prototype.readAt.apply({ disk, read: MemoryStore.prototype.read }, args);
      },
    }),
  });
  for (let round = 0; round < 3; round += 1) {
    await write(both.ask, draw);
    await both.ask('run', 'seal');
    await agreeSoon(both, draw);
  }
  assert.ok(brought.length >= 6, `${brought}`);
  assert.equal(new Set(brought).size, brought.length, `${brought}`);
});

test('what is told while the copy is made is in it', async (t) => {
  const draw = drawing(SEED);
  let go;
  const held = new Promise((resolve) => (go = resolve));
  const both = await followed(t, { reader: (disk) => ({ snapshot: () => held.then(() => disk.snapshot()) }) });
  for (let round = 0; round < 20; round += 1) await write(both.ask, draw);
  assert.equal(await agree(both, questions(draw)[0]), false, 'it begins with this');
  await turn();
  for (let round = 0; round < 20; round += 1) await changed(both, draw);
  go();
  await agreeSoon(both, draw);
});

// What was told of the second while the first was read went with the copy of before, for good.
test('of two collections that change while one of them is read nothing is lost', async (t) => {
  const draw = drawing(SEED);
  const inOther = (verb, ...args) => both.writer.do({ of: 'other', verb, args });
  const add = (id) => inOther('write', [id], flattened([undefined]), [undefined], [undefined], true);
  let changes = [];
  const both = await followed(t, {
    reader: (disk) => ({
      async readAt(...args) {
        await changes.shift()?.();
        return MemoryStore.prototype.readAt.apply({ disk, read: MemoryStore.prototype.read }, args);
      },
    }),
  });
  await both.writer.do({ verb: 'create', args: ['other', '{}'] });
  await write(both.ask, draw);
  await add('first');
  await agreeSoon(both, draw);
  for (let round = 0; round < 10; round += 1) {
    const seal = async () => {
      await write(both.ask, draw);
      await both.ask('run', 'seal');
      await add(`sealed ${round}`);
      await inOther('run', 'seal');
    };
    changes = [seal, () => add(`a ${round}`), () => add(`b ${round}`), () => add(`c ${round}`)].slice(0, 1 + draw(4));
    await write(both.ask, draw);
    await both.ask('run', 'seal');
    await agreeSoon(both, draw);
    const asked = { of: 'other', verb: 'scan', args: ['{"limit":100}'] };
    assert.ok(await agree(both, asked), `round ${round}`);
  }
});

test('an engine that died of the copy has no other one of it', async (t) => {
  const draw = drawing(SEED);
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const both = await followed(t);
  await write(both.ask, draw);
  await agreeSoon(both, draw);
  both.replica.died(new Error('out of memory'), true);
  for (let round = 0; round < 20; round += 1) {
    now += 100_000;
    assert.equal(both.replica.read(questions(draw)[0]), undefined);
    await turn();
  }
  assert.deepEqual([both.readers.length, both.store.onStored], [1, undefined], 'and it is told nothing more');
});

test('a follower that cannot be told harms nobody, and learns that it was not', () => {
  const followers = new Followers();
  const [heard, whole] = [[], []];
  let failures = 2;
  const tell = (items) => {
    failures -= 1;
    if (failures >= 0) throw new Error('no memory');
    heard.push(items);
  };
  followers.add({ tell });
  followers.add({ tell: (items) => whole.push(items) });
  const flip = (generation) => ({ kind: 'flip', storage: 1, generation, bytes: new Uint8Array() });
  for (const generation of [1, 2, 3]) followers.tell([flip(generation), { kind: 'sync' }]);
  const kinds = (all) => all.map(([{ kind, generation }]) => [kind, generation]);
  assert.deepEqual(kinds(heard), [['lost', undefined], ['flip', 3]]);
  assert.deepEqual(kinds(whole), [['flip', 1], ['flip', 2], ['flip', 3]]);
});

test('of what was not told all is read again', async (t) => {
  const draw = drawing(SEED);
  const both = await followed(t, { told: (items) => (draw(3) === 0 ? [{ kind: 'lost' }] : items) });
  for (let round = 0; round < 30; round += 1) {
    await changed(both, draw);
    await agreeSoon(both, draw);
  }
  assert.ok(both.readers.length > 3);
});

test('of a database that is too large there is no copy', async (t) => {
  const draw = drawing(SEED);
  const both = await followed(t, {
    reader: (disk) => ({
      async snapshot() {
        const snapshot = disk.snapshot();
        snapshot.storages[0].blobs.push({ blob: 99, type: 1, length: 257 * 2 ** 20 });
        return snapshot;
      },
    }),
  });
  await write(both.ask, draw);
  for (let round = 0; round < 20; round += 1) {
    assert.equal(await agree(both, questions(draw)[0]), false);
    await turn();
  }
  assert.deepEqual(both.readers.map(({ closed }) => closed), [true], 'it lets go of the store');
});

test('what the copy refuses is asked of the writer, which says why', async (t) => {
  const draw = drawing(SEED);
  const both = await followed(t);
  await write(both.ask, draw);
  await agreeSoon(both, draw);
  for (const asked of [
    { of: 'none', verb: 'get', args: [['x']] },
    { of: 'films', verb: 'search', args: ['{"k":-1}'] },
    { of: 'films', verb: 'write', args: [['x'], flattened([undefined]), [undefined], [undefined], true] },
    { of: 'films', verb: 'graph', args: ['components', '{}'] },
    { verb: 'collections', args: [] },
  ]) {
    assert.equal(both.replica.read(asked), undefined, JSON.stringify(asked));
    assert.ok(await agree(both, questions(draw)[0]), 'it is there');
  }
});

test('a copy that cannot be made is tried again later, and given up in the end', async (t) => {
  const draw = drawing(SEED);
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  let failures = 2;
  const both = await followed(t, {
    reader: (disk) => ({
      async snapshot() {
        failures -= 1;
        if (failures >= 0) throw new Error('a disk that fails');
        return disk.snapshot();
      },
    }),
  });
  await write(both.ask, draw);
  /** Reads now and a little later; how many copies were begun so far. */
  const tried = async () => {
    for (let i = 0; i < 20; i += 1) {
      await agree(both, questions(draw)[0]);
      await turn();
    }
    return both.readers.length;
  };
  assert.equal(await tried(), 1, 'not again at once');
  now += 1001;
  assert.equal(await tried(), 2);
  now += 1001;
  assert.equal(await tried(), 3);
  await agreeSoon(both, draw);
  // What fails after one that was made is counted anew; its engine has died of another database.
  failures = 99;
  both.replica.died(new Error('an engine that died'), false);
  for (let round = 0; round < 5; round += 1) {
    now += 1001;
    await tried();
  }
  assert.equal(both.readers.length, 6, 'three failures in a row are enough');
  assert.ok(both.readers.every(({ closed }) => closed));
});
