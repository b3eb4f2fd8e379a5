// The example that the README quotes, and the adapter that the scenario runner starts.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { ROOT, folder } from './support.mjs';

test('the example finds what it says', (t) => {
  const cwd = folder(t);
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(ROOT, 'examples/node.mjs')], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n').map((line) => line.split(' ')[0]), ['moon', 'up']);
});

test('the example of history tells what was, and the page quotes it', (t) => {
  const cwd = folder(t);
  const file = join(ROOT, 'examples/history.mjs');
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const lines = stdout.trim().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['now:  Meet at the station', 'then: Meet at the old mill']);
  const [[from, until], [began, ended]] = lines.slice(2).map((line) => line.split(' '));
  assert.deepEqual([until, ended], ['null', from]);
  assert.ok(began < ended);
  assert.ok(readFileSync(join(ROOT, 'docs/HISTORY.md'), 'utf8').includes(readFileSync(file, 'utf8')));
});

test('the example of upkeep does what it says, and the page quotes it', (t) => {
  const cwd = folder(t);
  const file = join(ROOT, 'examples/upkeep.mjs');
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n'), [
    'stored at once: 1000',
    'note-7 was used 2 times, note-8 0',
    'written again without what was deleted: true',
    'read twice: 700 700',
    'a reader that writes is told: read_only',
  ]);
  assert.ok(readFileSync(join(ROOT, 'docs/OPERATIONS.md'), 'utf8').includes(readFileSync(file, 'utf8')));
});

test('the example of compressing does what it says, and the page quotes it', (t) => {
  const cwd = folder(t);
  const file = join(ROOT, 'examples/compress.mjs');
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n'), [
    'links built anew, with care: true',
    'int8 would take 400 kB',
    'bits would take 101 kB',
    'pq would take 151 kB',
    'opq would take 167 kB',
    'stored as f16 searched by bits',
    'the nearest is p7',
  ]);
  assert.ok(readFileSync(join(ROOT, 'docs/TUNING.md'), 'utf8').includes(readFileSync(file, 'utf8')));
});

test('the adapter answers each line in the shapes of REST', async (t) => {
  const child = spawn(process.execPath, [join(ROOT, 'tests/surfaces/node.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (op, args = {}) => {
    child.stdin.write(`${JSON.stringify({ op, args })}\n`);
    return JSON.parse((await lines.next()).value);
  };
  const path = folder(t);
  const file = join(path, 'export');
  const name = 'a';
  assert.deepEqual(await ask('open', { path: join(path, 'db'), durability: 'always' }), { ok: {} });
  assert.equal((await ask('create', { name, config: { metric: 'dot' } })).ok.metric, 'dot');
  const documents = [{ id: 'x', vector: [1, 0.1], metadata: { n: 1 } }, { id: 'y' }];
  assert.deepEqual(await ask('add', { name, documents, mode: 'insert' }), { ok: { written: 2, replaced: 0 } });
  assert.deepEqual(await ask('add', { name, documents, mode: 'upsert' }), { ok: { written: 2, replaced: 2 } });
  const stored = [{ id: 'x', vector: [1, Math.fround(0.1)], metadata: { n: 1 } }, { id: 'y', vector: null, metadata: {} }];
  assert.deepEqual(await ask('get', { name, ids: ['x', 'no', 'y'] }), { ok: { documents: [stored[0], null, stored[1]] } });
  assert.deepEqual(await ask('scan', { name, limit: 10 }), { ok: { documents: stored, next: null } });
  const hits = [{ id: 'x', score: 1, metadata: { n: 1 } }];
  const request = { vector: [1, 0] };
  assert.deepEqual(await ask('search', { name, request }), { ok: { hits, warnings: [] } });
  assert.deepEqual(await ask('search', { name, request }), { ok: { hits, warnings: [] } });
  for (const op of ['seal', 'index', 'merge', 'optimize']) {
    assert.equal(typeof (await ask(op, { name })).ok.done, 'boolean');
  }
  assert.deepEqual(await ask('export', { name, file }), { ok: {} });
  assert.equal((await ask('import', { name: 'b', file })).ok.documents, 2);
  assert.deepEqual((await ask('collections')).ok.collections.map((info) => info.name), ['a', 'b']);
  assert.deepEqual(await ask('delete', { name, ids: ['x', 'no'] }), { ok: { deleted: 1 } });
  assert.deepEqual(await ask('drop', { name: 'b' }), { ok: {} });
  const { error } = await ask('search', { name, request: { filter: 'n =' } });
  assert.deepEqual([error.code, error.position], ['invalid_filter', 3]);
  assert.deepEqual(await ask('close'), { ok: {} });
  child.stdin.end();
  assert.equal(await new Promise((done) => child.on('close', done)), 0);
});
