// The packed tarballs, installed as a user installs them, run the README's example: as ES module and CommonJS in Node, built
// and served by Vite in a browser. Without the addon's there is a database in memory.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import * as vite from 'vite';

import { layOut } from '../../.ci/lib/packages.mjs';
import { PATIENCE_MS, launchBrowser } from '../browser/browser.mjs';
import { ROOT, folder } from './support.mjs';

const { packageFor, thisMachine } = createRequire(import.meta.url)('../../js/dist/node/native/platform.js');

const EXAMPLE = readFileSync(join(ROOT, 'examples/node.mjs'), 'utf8');

/** What the example prints, by the id at the head of each line. */
const FOUND = ['moon', 'up'];

/** The example again, with the engine in a Worker: it prints the same lines. */
const IN_WORKER = EXAMPLE.replace(/open\('[^']*'\)/, "open('in-worker', { worker: true })");

const ids = (lines) => lines.map((line) => line.split(' ')[0]);

function run(program, args, cwd) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout.trim().split('\n');
}

describe('the packed package', () => {
  const project = folder({ after });
  before(() => {
    const { target } = packageFor(thisMachine());
    const places = layOut(join(project, 'published'), { [target]: join(ROOT, 'js/dist/kithdb.node') });
    const tarballs = places.map((place) => {
      const [name] = run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', project, place], ROOT);
      return `./${name}`;
    });
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    // Offline: it depends on nothing that would have to be fetched.
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...tarballs], project);
  });

  test('runs the example as an ES module', () => {
    writeFileSync(join(project, 'example.mjs'), EXAMPLE);
    assert.deepEqual(ids(run(process.execPath, ['example.mjs'], project)), FOUND);
  });

  test('runs the example as CommonJS, with the same KithError', () => {
    const body = EXAMPLE.replace("import { open } from 'kithdb';", "const { open, KithError } = require('kithdb');").replace('./demo-db', './demo-cjs');
    const check = "if ((await import('kithdb')).KithError !== KithError) throw new Error('two of them');";
    writeFileSync(join(project, 'example.cjs'), `(async () => {\n${body}\n${check}\n})();\n`);
    assert.deepEqual(ids(run(process.execPath, ['example.cjs'], project)), FOUND);
  });

  test('brings the command kithdb', () => {
    const command = (...args) => run(join(project, 'node_modules/.bin/kithdb'), args, project);
    const found = command('search', '--data', 'demo-db', '--k', '1', 'films', 'alone in space');
    assert.deepEqual([ids(found)[0], found[0].split(' ')[1]], ['1.', 'moon']);
    assert.match(command('stats', '--data', 'demo-db')[1], /^films +3 +3 +3 /);
    assert.match(command('verify', '--data', 'demo-db').at(-1), /nothing is damaged$/);
  });

  describe('with Vite', () => {
    const root = join(project, 'site');
    let browser;
    before(async () => {
      browser = await launchBrowser();
      mkdirSync(root);
      writeFileSync(join(root, 'index.html'), '<!doctype html><title>films</title><script type="module" src="/main.js"></script>');
      writeFileSync(join(root, 'main.js'), `${EXAMPLE}\n{\n${IN_WORKER.replace(/^import .*$/m, '')}}\n`);
    });
    after(() => browser?.close());

    /** What the page prints, in a profile of its own. */
    async function printed(url) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const lines = [];
      const done = new Promise((resolve, reject) => {
        page.on('console', (message) => {
          if (message.type() === 'log' && lines.push(message.text()) === 2 * FOUND.length) resolve(lines);
        });
        page.on('pageerror', reject);
        setTimeout(() => reject(new Error(`only ${lines.length} lines came`)), PATIENCE_MS).unref();
      });
      await page.goto(url);
      try {
        return await done;
      } finally {
        await context.close();
      }
    }

    const config = () => ({ root, configFile: false, logLevel: 'error', build: { target: 'esnext' } });

    test('runs the example from a build', async () => {
      await vite.build(config());
      const server = await vite.preview({ ...config(), preview: { host: '127.0.0.1', port: 0 } });
      try {
        assert.deepEqual(ids(await printed(`http://127.0.0.1:${server.httpServer.address().port}/`)), [...FOUND, ...FOUND]);
      } finally {
        await server.close();
      }
    });

    test('runs the example from the development server', async () => {
      // Its optimiser moves modules away from the files beside them, and has to be told to leave this one.
      const optimizeDeps = { exclude: ['kithdb'] };
      const server = await vite.createServer({ ...config(), optimizeDeps, server: { host: '127.0.0.1', port: 0 } });
      await server.listen();
      try {
        assert.deepEqual(ids(await printed(`http://127.0.0.1:${server.httpServer.address().port}/`)), [...FOUND, ...FOUND]);
      } finally {
        await server.close();
      }
    });
  });

  // Last: it takes the addon away.
  test('without the addon has a database in memory, and says why it has no other', () => {
    rmSync(join(project, 'node_modules/@kithdb'), { recursive: true });
    const script = `
      const { KithError, deleteDatabase, open, openMemory, openMemorySync } = require('kithdb');
      const codes = [];
      const refused = async (work) => {
        try { await work(); } catch (error) { codes.push(error instanceof KithError ? error.code : String(error)); }
      };
      (async () => {
        const db = await openMemory({ durability: 'os' });
        const films = await db.create('films', { text: {} });
        await films.add({ id: 'moon', vector: [1, 2], metadata: { plot: 'alone in space' } });
        console.log(films.searchSync({ text: 'space' }).hits[0].id, (await films.get('moon')).vector.join());
        await refused(() => films.add({ id: 'moon' }));
        await refused(() => films.addSync({ id: 'up' }));
        await refused(() => open('./demo-db'));
        await refused(() => deleteDatabase('./demo-db'));
        await refused(() => openMemorySync());
        await openMemory().then((other) => other.close());
        await db.close();
        console.log(codes.join());
      })();
    `;
    writeFileSync(join(project, 'without.cjs'), script);
    const { stdout, stderr } = spawnSync(process.execPath, ['without.cjs'], { cwd: project, encoding: 'utf8' });
    assert.deepEqual(stdout.trim().split('\n'), ['moon 1,2', 'document_exists,unsupported,addon_not_loaded,addon_not_loaded,addon_not_loaded'], stderr);
    assert.equal(stderr.match(/\[addon_not_loaded\] Warning: .*@kithdb\/.* is not installed/g)?.length, 1, stderr);
    const stats = spawnSync('node_modules/.bin/kithdb', ['stats', '--data', 'demo-db'], { cwd: project, encoding: 'utf8' });
    assert.deepEqual([stats.status, /^kithdb: the addon for .* is missing/.test(stats.stderr)], [2, true], stats.stderr);
  });
});
