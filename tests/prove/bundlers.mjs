// The packed package in other hands, installed as a user installs it: webpack and Next.js build the README's lines for a browser,
// where the engine runs in the page and in a Worker, and Next.js, Bun and Deno run them over the addon. Their versions stand here,
// as nothing else of the repository needs them.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';

import { BUILD_NEEDS, buildRelease } from '../../.ci/lib/build.mjs';
import { layOut } from '../../.ci/lib/packages.mjs';
import { ROOT, run } from '../../.ci/lib/run.mjs';
import { main, step } from '../../.ci/lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../../.ci/lib/system.mjs';
import { launchBrowser } from '../browser/browser.mjs';

const TOOLS = ['webpack@5.112.2', 'next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1', 'bun@1.4.4', 'deno@2.9.6'];

const EXAMPLE = readFileSync(join(ROOT, 'examples/node.mjs'), 'utf8');
const [, IMPORT, LINES] = /^(import .*;\n)([^]*)$/m.exec(EXAMPLE);
/** What the lines print, by the id at the head of each. */
const FOUND = ['moon', 'up'];
/** For a browser: in the page, then in a Worker. */
const IN_PAGE = `{\n${LINES}}\n{\n${LINES.replace(/open\('[^']*'\)/, "open('in-worker', { worker: true })")}}\n`;

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const ids = (lines) => lines.map((line) => line.split(' ')[0]);

await main(async () => {
  await ensureSystem([...BUILD_NEEDS, 'chromium']);
  ensureRust();
  await ensureNpmPackages();
  await buildRelease();
  await prove();
});

async function prove() {
  const project = mkdtempSync(join(tmpdir(), 'kithdb-bundlers-'));
  const browser = await launchBrowser();
  try {
    await step('installing the packed package beside them', () => install(project));
    await step('running it in Bun', () => inRuntime(project, 'bun', []));
    await step('running it in Deno', () => inRuntime(project, 'deno', ['run', '--allow-all']));
    await step('building it with webpack, and running it in a browser', () => inWebpack(project, browser));
    for (const [bundler, flag] of [['Turbopack', '--turbopack'], ['webpack', '--webpack']]) {
      await step(`building it with Next.js and ${bundler}, and running it in a browser and on its server`, () => inNext(project, browser, flag));
    }
  } finally {
    await browser.close();
    rmSync(project, { recursive: true, force: true });
  }
}

/** The tarballs and the tools, in one project. */
async function install(project) {
  const { packageFor, thisMachine } = createRequire(import.meta.url)('../../js/dist/node/native/platform.js');
  const published = layOut(join(project, 'published'), { [packageFor(thisMachine()).target]: join(ROOT, 'js/dist/kithdb.node') });
  const tarballs = published.map((place) => {
    const { status, stdout, stderr } = spawnSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', project, place], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return `./${stdout.trim()}`;
  });
  write(project, { 'package.json': '{ "private": true }' });
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...tarballs, ...TOOLS], { cwd: project });
}

/** A runtime of JavaScript that is not Node: with the addon, in a directory. */
async function inRuntime(project, name, args) {
  const folder = join(project, name);
  write(folder, { 'example.mjs': EXAMPLE });
  const program = join(project, 'node_modules/.bin', name);
  const { status, stdout, stderr } = spawnSync(program, [...args, 'example.mjs'], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.deepEqual(ids(stdout.trim().split('\n')), FOUND);
  assert.ok(readdirSync(join(folder, 'demo-db')).length > 0, 'it is in the directory');
}

async function inWebpack(project, browser) {
  const folder = join(project, 'site');
  write(folder, { 'main.js': IMPORT + IN_PAGE, 'dist/index.html': '<!doctype html><title>films</title><script type="module" src="main.js"></script>' });
  const webpack = createRequire(join(project, 'main.js'))('webpack');
  const stats = await new Promise((done, fail) => {
    const config = { mode: 'production', context: folder, entry: './main.js', output: { path: join(folder, 'dist') } };
    webpack(config, (error, built) => (error ? fail(error) : done(built)));
  });
  assert.ok(!stats.hasErrors(), stats.toString('errors-only'));
  const server = createServer(async (request, response) => {
    const name = new URL(request.url, 'http://site').pathname.replace(/\/$/, '/index.html');
    const content = await readFile(join(folder, 'dist', name)).catch(() => undefined);
    response.writeHead(content ? 200 : 404, { 'content-type': TYPES[extname(name)] ?? 'text/plain' });
    response.end(content);
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  try {
    assert.deepEqual(ids(await printed(browser, `http://127.0.0.1:${server.address().port}/`)), [...FOUND, ...FOUND]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** An application whose page runs the lines in the browser, and one of whose routes runs them on the server. */
async function inNext(project, browser, flag) {
  const folder = join(project, `app${flag}`);
  write(folder, {
    'package.json': '{ "private": true }',
    // The addon is no JavaScript to be bundled; the packages are those of the folder above.
    'next.config.mjs': `export default { serverExternalPackages: ['kithdb'], turbopack: { root: ${JSON.stringify(project)} }, outputFileTracingRoot: ${JSON.stringify(project)} };\n`,
    'app/layout.js': 'export default ({ children }) => <html lang="en"><body>{children}</body></html>;\n',
    'app/page.js': `'use client';\nimport { useEffect } from 'react';\n${IMPORT}\nasync function films() {\n${IN_PAGE}}\n
export default function Page() {\n  useEffect(() => { films().catch((error) => console.error(error)); }, []);\n  return <p>films</p>;\n}\n`,
    'app/server/route.js': `${IMPORT}\nexport const dynamic = 'force-dynamic';\n
export async function GET() {\n  const lines = [];\n  const console = { log: (...words) => lines.push(words.join(' ')) };\n${LINES}\n  return Response.json(lines);\n}\n`,
    // An edge runtime has neither an addon nor IndexedDB: what is left is a server.
    'app/edge/route.js': `import { connect } from 'kithdb';\n\nexport const runtime = 'edge';\n
export async function GET() {\n  const asked = connect('http://127.0.0.1:1', { retries: 0 }).then((db) => db.collections());
  return Response.json(await asked.catch(({ code }) => code));\n}\n`,
  });
  const next = join(project, 'node_modules/next/dist/bin/next');
  const env = { NEXT_TELEMETRY_DISABLED: '1' };
  await run(process.execPath, [next, 'build', flag, folder], { cwd: folder, env });
  const server = spawn(process.execPath, [next, 'start', '--hostname', '127.0.0.1', '--port', '0', folder], { cwd: folder, env: { ...process.env, ...env } });
  try {
    const origin = await said(server, /http:\/\/127\.0\.0\.1:\d+/);
    assert.deepEqual(ids(await printed(browser, `${origin}/`)), [...FOUND, ...FOUND]);
    assert.deepEqual(ids(await (await fetch(`${origin}/server`)).json()), FOUND);
    assert.equal(await (await fetch(`${origin}/edge`)).json(), 'unreachable');
  } finally {
    server.kill();
  }
}

/** What a page prints, in a profile of its own. */
async function printed(browser, url) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const lines = [];
    const done = new Promise((resolve, reject) => {
      page.on('console', (message) => {
        const { url } = message.location();
        if (message.type() === 'error' && !url.endsWith('/favicon.ico')) reject(new Error(`${url}: ${message.text()}`));
        if (message.type() === 'log' && lines.push(message.text()) === 2 * FOUND.length) resolve(lines);
      });
      page.on('pageerror', reject);
      setTimeout(() => reject(new Error(`only ${lines.length} lines came`)), 60_000).unref();
    });
    await page.goto(url);
    return await done;
  } finally {
    await context.close();
  }
}

/** What a server says once it listens. */
function said(server, pattern) {
  return new Promise((found, failed) => {
    let text = '';
    const take = (more) => {
      text += more;
      const [match] = pattern.exec(text) ?? [];
      if (match) found(match);
    };
    for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8').on('data', take);
    server.on('close', () => failed(new Error(`it ended: ${text}`)));
  });
}

function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
