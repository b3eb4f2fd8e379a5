// Opening a database in the origin private file system: where that fails, nothing is left of it.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { openHere } from '../../../js/dist/here.js';
import { isThere } from '../../../js/dist/opfs/directory.js';
import { openOpfs } from '../../../js/dist/opfs/store.js';
import { FakeDirectory } from './directory.mjs';

/** The root of the file system of a browser, as a dedicated Worker sees it. */
let root;
beforeEach(() => {
  root = new FakeDirectory();
  const storage = { getDirectory: async () => root };
  Object.defineProperty(globalThis, 'navigator', { value: { storage }, configurable: true });
  globalThis.DedicatedWorkerGlobalScope = class {};
  globalThis.FileSystemFileHandle = class { createSyncAccessHandle() {} };
  globalThis.FileSystemSyncAccessHandle = class {
    getSize() {
      throw new TypeError('Illegal invocation');
    }
  };
});

const FLIP = { ticket: 1, strict: true, work: [{ kind: 'flip', storage: 0, generation: 1, bytes: Uint8Array.of(1, 2, 3) }] };
/** What fails once the directory is made. */
const openBroken = () => openHere('films', { storage: 'opfs', wasm: Uint8Array.of(1) });

async function names(directory) {
  const all = [];
  for await (const name of directory.keys()) all.push(name);
  return all;
}

/** The directory of the only database there is. */
async function only() {
  const parent = await root.getDirectoryHandle('kithdb');
  return parent.getDirectoryHandle((await names(parent))[0]);
}

test('a first opening that stores nothing leaves the name free', async (t) => {
  await assert.rejects(openBroken(), { code: 'wasm_not_loaded' });
  assert.equal(await isThere('films'), false);
  // There was no room for its first write: a file was made, and is empty.
  const store = await openOpfs('films');
  await store.snapshot();
  const directory = await only();
  directory.fault = { kind: 'full', at: 1 };
  await assert.rejects(store.commit(FLIP), { code: 'disk_full' });
  assert.deepEqual([directory.counts.files, await isThere('films')], [1, true]);
  await store.close();
  assert.equal(await isThere('films'), false);
  // Nor for the mark that it is open.
  navigator.userAgentData = { brands: [{ brand: 'Chromium' }] };
  t.mock.method(FakeDirectory.prototype, 'getFileHandle', async () => {
    throw new DOMException('', 'QuotaExceededError');
  });
  await assert.rejects(openOpfs('films'), { code: 'disk_full' });
  assert.deepEqual(await names(await root.getDirectoryHandle('kithdb')), []);
});

test('what was stored, or was there before, stays when an opening fails', async () => {
  const store = await openOpfs('films');
  await store.snapshot();
  await store.commit(FLIP);
  await store.close();
  await assert.rejects(openBroken(), { code: 'wasm_not_loaded' });
  const again = await openOpfs('films');
  assert.deepEqual((await again.snapshot()).storages.map(({ current }) => current), [1]);
  await again.close();
  const directory = await only();
  for (const name of await names(directory)) await directory.removeEntry(name);
  await assert.rejects(openBroken(), { code: 'wasm_not_loaded' });
  assert.equal(await isThere('films'), true);
});

// Chromium counts the names of files, too: what was to keep its list of files whole had no room.
test('what is stored is opened where there is no room at all', async (t) => {
  navigator.userAgentData = { brands: [{ brand: 'Chromium' }] };
  const first = await openOpfs('films');
  await first.snapshot();
  await first.commit(FLIP);
  const directory = await only();
  directory.cutPower(() => true);
  for (const isClosed of [false, true]) {
    if (isClosed) await directory.removeEntry('writing').catch(() => {});
    const getFileHandle = directory.getFileHandle.bind(directory);
    const full = t.mock.method(directory, 'getFileHandle', async (name, options) => {
      if (options?.create) throw new DOMException('', 'QuotaExceededError');
      return getFileHandle(name, options);
    });
    const store = await openOpfs('films');
    const { current } = (await store.snapshot()).storages[0];
    full.mock.restore();
    // Once there is room for files, that is done first.
    const made = t.mock.method(directory, 'getFileHandle');
    await store.commit({ ...FLIP, work: [{ ...FLIP.work[0], generation: current + 1 }] });
    const fillers = made.mock.calls.filter(({ arguments: [name] }) => name.startsWith('filler')).length;
    assert.deepEqual([fillers > 0, (await names(directory)).includes('writing')], [!isClosed, true]);
    made.mock.restore();
    await store.close();
  }
});

test('a browser whose access handles answer promises is refused before anything is made', async () => {
  globalThis.FileSystemSyncAccessHandle = class {
    async getSize() {
      throw new TypeError('Illegal invocation');
    }
  };
  const told = { code: 'unsupported', hint: /update the browser/ };
  await assert.rejects(openOpfs('films'), told);
  await assert.rejects(openHere('films', { storage: 'opfs' }), told);
  assert.deepEqual(await names(root), []);
});
