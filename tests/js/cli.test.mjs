// The command of the npm package: it prints what the server's binary prints, searches with reasons, and hands on the rest.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { connect, open } from 'kithdb';

import { serverBinary } from '../../.ci/lib/build.mjs';
import { ROOT, after, folder } from './support.mjs';

const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const COMMAND = join(ROOT, PACKAGE.bin.kithdb);
const IMPORT = join(ROOT, 'js/dist/node/cli/import.js');
const { readWhole } = createRequire(import.meta.url)(IMPORT);
const BINARY = process.env.KITH_SERVER ?? serverBinary('debug');

function kithdb(args, env = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
    encoding: 'utf8',
    env: { ...process.env, KITH_SERVER: BINARY, ...env },
  });
  return { status, stdout, stderr };
}

function native(args) {
  const { status, stdout, stderr } = spawnSync(BINARY, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** A directory with two collections, one of them with segments, words and ended versions. */
async function films(t) {
  const data = join(folder(t), 'db');
  const db = await open(data);
  const films = await db.create('films', { metric: 'cosine', text: { fields: ['plot'] } });
  await films.addMany([
    { id: 'alien', vector: [0.9, 0.1], metadata: { plot: 'A crew meets a creature in deep space', year: 1979 } },
    { id: 'up', vector: [0.1, 0.9], metadata: { plot: 'A house flies away under balloons', year: 2009 } },
    { id: 'moon', vector: [0.8, 0.3], metadata: { plot: 'A man alone in space talks to himself', year: 2009 } },
  ]);
  await films.seal();
  await films.index();
  await films.upsert({ id: 'up', metadata: { plot: 'Balloons', year: 2009 } });
  await db.create('nothing');
  await db.kv.set('k', 'v');
  const file = join(dirname(data), 'films.kith');
  writeFileSync(file, await films.export());
  await db.close();
  return { data, file };
}

test('stats and verify print what the binary prints', async (t) => {
  const { data } = await films(t);
  mkdirSync(join(data, 'c', 'strange'));
  for (const args of [['stats'], ['stats', '--json'], ['verify'], ['verify', '--json']]) {
    const [command, ...more] = args;
    const all = [command, '--data', data, ...more];
    assert.deepEqual(kithdb(all), native(all), args.join(' '));
  }
  // Damage: what is found, in how many places, and how it ends.
  const place = join(data, 'c', readdirSync(join(data, 'c')).filter((name) => name !== 'strange').sort()[0]);
  for (const name of readdirSync(place).filter((name) => /rows$|links$/.test(name))) {
    writeFileSync(join(place, name), readFileSync(join(place, name)).fill(7));
  }
  for (const args of [['verify'], ['verify', '--json'], ['stats']]) {
    const [command, ...more] = args;
    const all = [command, '--data', data, ...more];
    assert.deepEqual(kithdb(all), native(all), `${args.join(' ')} of what is damaged`);
  }
  assert.equal(kithdb(['verify', '--data', data]).status, 1);
  const none = ['verify', '--data', join(data, 'none')];
  assert.deepEqual(kithdb(none), native(none));
  assert.equal(kithdb(none).status, 2);
});

test('import makes a collection of an export, and says so as the binary does', async (t) => {
  const { file } = await films(t);
  const [ours, theirs] = [join(folder(t), 'ours'), join(folder(t), 'theirs')];
  assert.deepEqual(kithdb(['import', '--data', ours, 'copy', file]), native(['import', '--data', theirs, 'copy', file]));
  const again = kithdb(['import', '--data', ours, 'copy', file]);
  assert.deepEqual(again, native(['import', '--data', theirs, 'copy', file]));
  assert.equal(again.status, 1);
  const db = await open(ours, { read_only: true });
  after(t, () => db.close());
  assert.equal((await db.collection('copy').info()).documents, 3);
});

test('a file is read whole, in pieces and from what has no size', async (t) => {
  const path = join(folder(t), 'file');
  const content = Buffer.from(Array.from({ length: 1_000 }, (_, i) => i % 251));
  writeFileSync(path, content);
  for (const piece of [undefined, 1_000, 999, 7]) assert.ok(content.equals(await readWhole(path, piece)));
  writeFileSync(path, '');
  assert.equal((await readWhole(path)).length, 0);
  await assert.rejects(readWhole(dirname(path)), { code: 'EISDIR' });
  await assert.rejects(readWhole(join(path, 'none')), { code: 'ENOTDIR' });
  const script = `require(${JSON.stringify(IMPORT)}).readWhole('/dev/stdin').then((bytes) => console.log(bytes.length))`;
  assert.equal(spawnSync('sh', ['-c', 'printf 12345 | "$0" -e "$1"', process.execPath, script], { encoding: 'utf8' }).stdout, '5\n');
});

test('search prints hits with where the words stand and why they came', async (t) => {
  const { data } = await films(t);
  const found = kithdb(['search', '--data', data, '--filter', 'year >= 1979', '--k', '2', 'films', 'alone in space']);
  const lines = found.stdout.split('\n');
  assert.match(lines[0], /^1\. moon  \d/);
  assert.equal(lines[1], '   plot: A man *alone* in *space* talks to himself');
  assert.match(lines[2], /^ {3}words [\d.]+: number 1, alon in plot [\d.]+, space in plot [\d.]+$/);
  assert.match(lines[3], /^2\. alien  /);
  assert.equal(found.status, 0, found.stderr);
  const byFilter = kithdb(['search', '--data', data, '--filter', "year = 1979", 'films']);
  assert.deepEqual(byFilter.stdout.split('\n').slice(0, 2), [
    '1. alien  1',
    '   {"plot":"A crew meets a creature in deep space","year":1979}',
  ]);
  const [hit] = JSON.parse(kithdb(['search', '--data', data, '--json', 'films', 'space']).stdout).hits;
  assert.ok(hit.explanation.words.terms.length === 1 && hit.score > 0);
  assert.equal(kithdb(['search', '--data', data, 'films', 'zebra']).stdout, 'nothing is found\n');
  const many = JSON.parse(kithdb(['search', '--data', data, '--k', '1001', '--json', 'films', 'space']).stdout).hits;
  assert.deepEqual(many.map((found) => [found.id, found.explanation]).sort(), [['alien', undefined], ['moon', undefined]]);
  const odd = kithdb(['search', '--data', data, '--filter', 'yaer > 1', 'films']);
  assert.match(odd.stderr, /^kithdb: warning: .*yaer/);
  const refused = kithdb(['search', '--data', data, '--filter', 'year >', 'films']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /^kithdb: .*filter/);
});

test('serve is the binary: its address, its signals, its end; a search asks it', async (t) => {
  const { data } = await films(t);
  const args = ['serve', '--data', data, '--listen', '127.0.0.1:0'];
  const env = { ...process.env, KITH_SERVER: BINARY, KITH_TOKEN: 'a-token-of-some-length' };
  const server = spawn(process.execPath, [COMMAND, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  after(t, () => server.kill());
  const ended = new Promise((done) => server.on('close', (code) => done(code)));
  const line = await new Promise((found) => createInterface({ input: server.stdout }).once('line', found));
  const url = /http:\S+/.exec(line)[0];
  const db = await connect(url, { token: env.KITH_TOKEN });
  assert.equal((await db.collection('films').info()).documents, 3);
  await db.close();
  const found = kithdb(['search', '--url', url, 'films', 'balloons'], { KITH_TOKEN: env.KITH_TOKEN });
  assert.match(found.stdout, /^1\. up  /);
  assert.match(kithdb(['search', '--url', url, 'films', 'balloons']).stderr, /token/);
  // Beside a writer nobody looks.
  const locked = kithdb(['stats', '--data', data]);
  assert.equal(locked.status, 2);
  server.kill('SIGTERM');
  assert.equal(await ended, 0);
  // It is closed: its directory can be read at once.
  assert.equal(kithdb(['stats', '--data', data]).status, 0);
});

test('the binary is looked for on the PATH, past scripts of its name', (t) => {
  const [scripts, empty, programs] = [folder(t), folder(t), folder(t)];
  writeFileSync(join(scripts, 'kithdb'), '#!/bin/sh\necho a script\n');
  chmodSync(join(scripts, 'kithdb'), 0o755);
  const env = { KITH_SERVER: '', PATH: `${empty}:${scripts}` };
  const missing = kithdb(['serve', '--data', empty], env);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /^kithdb: `kithdb serve` is done by the server's binary, and there is none.*releases/);
  symlinkSync(BINARY, join(programs, 'kithdb'));
  const found = kithdb(['openapi'], { ...env, PATH: `${env.PATH}:${programs}` });
  assert.deepEqual([found.status, found.stdout], [0, native(['openapi']).stdout]);
});

test('a command that is taken for the binary does not start itself without end', (t) => {
  // As npm's script, or a program of another manager that calls it.
  const shim = join(folder(t), 'kithdb');
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${COMMAND}" "$@"\n`);
  chmodSync(shim, 0o755);
  const { status, stdout, stderr } = kithdb(['serve'], { KITH_SERVER: shim });
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^kithdb: `kithdb serve` is done by the server's binary, and there is none: .*this command again.*releases.*\n$/);
});

test('help names every command of the binary and those of the package, and what is wrong is said', () => {
  const help = kithdb(['--help']).stdout;
  const listed = [...help.matchAll(/^ {2}([a-z-]+) {2,}(.*)$/gm)].map(([, name, about]) => [name, about]);
  const theirs = [...native(['--help']).stdout.matchAll(/^ {2}([a-z-]+) {2,}(.*)$/gm)].map(([, name, about]) => [name, about]);
  const ours = listed.filter(([name]) => name !== 'search');
  assert.deepEqual(ours.sort(), theirs.filter(([name]) => name !== 'help').sort());
  assert.equal(kithdb(['--version']).stdout, `kithdb ${PACKAGE.version}\n`);
  const wrong = { none: [], unknown: ['fly'], inherited: ['constructor'], missing: ['stats'], extra: ['stats', '--data', 'd', 'e'] };
  Object.assign(wrong, { option: ['stats', '--dta', 'd'], number: ['search', '--data', 'd', '--k', '0', 'c'], neither: ['search', 'c'] });
  for (const [what, args] of Object.entries(wrong)) {
    const { status, stdout, stderr } = kithdb(args);
    assert.deepEqual([status, stdout, /^kithdb: ./.test(stderr)], [2, '', true], `${what}: ${stderr}`);
  }
  for (const name of ['import', 'search', 'stats', 'verify']) {
    const { status, stdout } = kithdb([name, '--help']);
    assert.ok(status === 0 && stdout.includes(`Usage: kithdb ${name} `) && stdout.includes('--data <DIR>'), stdout);
  }
});
