// Which addon is loaded on which machine, and what is said where none can be.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { KithError, openMemory } from 'kithdb';

import { after, embedderFolder, folder, refused } from './support.mjs';

const require = createRequire(import.meta.url);
const { openFallback } = require('../../js/dist/node/native/fallback.js');
const { loadAddon } = require('../../js/dist/node/native/loader.js');
const { ADDON_PACKAGES, packageFor, thisMachine } = require('../../js/dist/node/native/platform.js');

const missing = (path) => Object.assign(new Error(`Cannot find module '${path}'`), { code: 'MODULE_NOT_FOUND' });
const broken = () => Object.assign(new Error('wrong ELF class'), { code: 'ERR_DLOPEN_FAILED' });

/** A `require` that finds these; a function is called. */
const finding = (files) => (path) => {
  if (!Object.hasOwn(files, path)) throw missing(path);
  return typeof files[path] === 'function' ? files[path]() : files[path];
};

const never = () => assert.fail('it takes long to find out, and nobody needs to know');
const linux = { platform: 'linux', arch: 'x64', isMusl: () => false };
const NAME = '@kithdb/linux-x64-gnu';
const PACKAGE = `${NAME}/package.json`;
const loaded = (files, machine = linux) => loadAddon({ machine, version: '1.2.3', load: finding(files) });

test('each machine has its own addon', () => {
  const of = (platform, arch) => packageFor({ platform, arch })?.name;
  assert.deepEqual(
    [of('linux', 'x64'), of('linux', 'arm64'), of('darwin', 'arm64'), of('darwin', 'x64'), of('win32', 'x64')],
    ADDON_PACKAGES.map(({ name }) => name),
  );
  assert.deepEqual([of('linux', 'riscv64'), of('win32', 'arm64'), of('freebsd', 'x64')], [undefined, undefined, undefined]);
  const { platform, isMusl } = thisMachine();
  assert.deepEqual([platform, typeof isMusl()], [process.platform, 'boolean']);
});

test('the addon that was built here comes first, then that of the package of this version', () => {
  const [built, packed] = [{ is: 'built' }, { is: 'packed' }];
  const here = { ...linux, isMusl: never };
  assert.equal(loaded({ '../../kithdb.node': built, [NAME]: packed, [PACKAGE]: { version: '1.2.3' } }, here), built);
  assert.equal(loaded({ [NAME]: packed, [PACKAGE]: { version: '1.2.3' } }, here), packed);
  const mac = { platform: 'darwin', arch: 'arm64', isMusl: never };
  assert.equal(loaded({ '@kithdb/darwin-arm64': packed, '@kithdb/darwin-arm64/package.json': { version: '1.2.3' } }, mac), packed);
});

test('where none can be loaded it is said why', () => {
  const cases = [
    [{}, linux, /for linux-x64 is missing: @kithdb\/linux-x64-gnu is not installed$/],
    [{ [NAME]: {}, [PACKAGE]: { version: '1.2.2' } }, linux, /of version 1\.2\.2, and kithdb of version 1\.2\.3$/],
    [{ [NAME]: () => { throw broken(); }, [PACKAGE]: { version: '1.2.3' } }, linux, /cannot be loaded: wrong ELF class$/],
    [{ '../../kithdb.node': () => { throw broken(); } }, linux, /the addon for linux-x64 cannot be loaded: wrong ELF class$/],
    [{}, { ...linux, isMusl: () => true }, /there is no addon for linux-x64 with musl$/],
    [{}, { platform: 'aix', arch: 'ppc64', isMusl: never }, /there is no addon for aix-ppc64$/],
  ];
  for (const [files, machine, message] of cases) {
    let error;
    try {
      loaded(files, machine);
    } catch (thrown) {
      error = thrown;
    }
    assert.deepEqual([error?.code, message.test(error?.message)], ['addon_not_loaded', true], error?.message);
    assert.match(error.hint, /openMemory/);
  }
});

test('a database in memory without an addon takes its options, and refuses what the addon refuses', async (t) => {
  const why = new KithError({ code: 'addon_not_loaded', message: 'a test' });
  const opening = (options) => openFallback(why, options);
  const wrong = [{ odd: 1 }, { read_only: true }, { durability: 'often' }, { memory_max: 'x' }, { embed: 'model' }, { embedder: 5 }];
  wrong.push({ embedder: join(folder(t), 'none') });
  for (const options of wrong) {
    const theirs = await openMemory(options).then(() => undefined, ({ code }) => code);
    await refused(theirs, () => opening(options));
  }
  const { expected } = await refused('invalid_file', () => opening({ embedder: folder(t) }));
  assert.equal(expected, "a readable model.safetensors in the embedder's directory");
  const db = await opening({ embedder: embedderFolder(t), memory_max: 1 << 30, threads: 1, embed: () => assert.fail('it has an embedder') });
  after(t, () => db.close());
  const collection = await db.create('c', { text: {}, embedder: true });
  await collection.add({ id: 'a', metadata: { t: 'a' } });
  assert.equal((await collection.get('a')).vector.length, 2);
});
