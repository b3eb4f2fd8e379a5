// A stand-in for the server in the tests of the page: serves web/ under the server's own headers, an engine for the
// tab that is a stand-in too, and /v1 from a dozen documents.

import { readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Refusal, WORDNET, answerSearch } from './mock-search.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const WEB = at('../../web/');
const TYPES = {
  '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.mjs': 'text/javascript', '.svg': 'image/svg+xml',
};
/** The engine's files, under /ui/kithdb/. */
const ENGINE = { 'browser.js': at('mock-engine.mjs'), 'mock-search.mjs': at('mock-search.mjs') };

/** Addresses of pages that are not the name of their file. */
const PAGES = { '/': 'index.html', '/ui/': 'index.html', '/docs': 'api.html' };

/** The headers under which the page has to work: those in the server's source. */
const HEADERS = readHeaders();

function readHeaders() {
  const source = readFileSync(at('../../server/src/page.rs'), 'utf8');
  const [, policy] = /const POLICY: &str = "([^"]*)"/.exec(source);
  const [, table] = /const HEADERS: [^=]*= \[([^;]*)\];/.exec(source);
  const pairs = [...table.matchAll(/\("([a-z-]+)", (?:"([^"]+)"|POLICY)\)/g)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value ?? policy.replace(/\\\s+/g, '')]));
}

const HOSTILE = [{
  id: '<img src=x onerror=alert(1)>',
  metadata: { title: '<script>alert(1)</script>', text: '<b>neck</b> & "quotes"', 'it\'s odd': "O'Neill", year: 1990 },
}];
/** Documents with which the engine in the tab is to fail. */
const failing = (code) => [...WORDNET, { id: code, metadata: { title: code, fails: code } }];

const info = (name, documents, rest) => ({
  name, metric: 'cosine', dim: 4, language: 'english', fields: 'top_level', embedder: null, m: 16,
  ef_construction: 200, documents, memtable: 0, segments: 1, indexed: 1, ended: 0, ...rest,
});

const COLLECTIONS = {
  wordnet: { info: info('wordnet', 117791, { dim: 256, fields: ['gloss'], embedder: 'wordllama-256' }), documents: WORDNET },
  hostile: { info: info('hostile', 1, {}), documents: HOSTILE },
  vectors: { info: info('vectors', 12, { language: null, fields: null }), documents: WORDNET },
  blank: { info: info('blank', 0, { dim: null }), documents: [] },
  disk_full: { info: info('disk_full', 13, {}), documents: failing('disk_full') },
  out_of_memory: { info: info('out_of_memory', 13, {}), documents: failing('out_of_memory') },
};
const USUAL = ['wordnet', 'hostile', 'vectors', 'blank'];

const FILES = { 'model.safetensors': 'm'.repeat(3000), 'tokenizer.json': '{}' };

/**
 * Listens on a free port of this machine. `names`: which collections there are; `unopenable`: those that are damaged;
 * `engine`: whether the tab can search; `embedder`: its hash. `seen` collects the bodies of searches, `requests` the
 * paths of all requests; `delayOf(body)` says how many ms an answer takes.
 */
export async function startMock(options = {}) {
  const { port = 0, ...rest } = options;
  const mock = { names: USUAL, delayOf: () => 0, engine: true, version: 'mock', embedder: '00000000000000aa', seen: [], requests: [], ...rest };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    mock.requests.push(pathname);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const [status, type, body] = await answer(mock, pathname, Buffer.concat(chunks).toString());
    response.writeHead(status, { ...HEADERS, 'content-type': type, 'cache-control': 'no-cache' });
    response.end(body);
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  mock.origin = `http://127.0.0.1:${server.address().port}`;
  mock.stop = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return mock;
}

const json = (value, status = 200) =>
  [status, status < 400 ? 'application/json' : 'application/problem+json', JSON.stringify(value)];
const problem = (status, report) => json({ type: 'about:blank', status, error: report.message, ...report }, status);

async function answer(mock, path, body) {
  const [, name, verb] = /^\/v1\/collections\/([^/]+)\/([a-z]+)$/.exec(path) ?? [];
  const collection = COLLECTIONS[name && decodeURIComponent(name)];
  if (verb === 'search') return answerLate(mock, collection, JSON.parse(body));
  if (verb === 'export') return [200, 'application/octet-stream', JSON.stringify(collection)];
  if (path.endsWith('/graph/subgraph')) return json({ nodes: [], edges: [], truncated: false });
  if (path === '/v1/collections') {
    return json({ collections: mock.names.map((known) => COLLECTIONS[known].info), unopenable: mock.unopenable });
  }
  if (path === '/healthz') return json({ status: 'ok' });
  if (path.startsWith('/v1/embedder')) return answerEmbedder(mock, path.slice('/v1/embedder/'.length));
  if (path === '/ui/files.json') return json(listFiles(mock));
  return sendFile(mock, path);
}

async function answerLate(mock, collection, body) {
  mock.seen.push(body);
  await new Promise((done) => { setTimeout(done, mock.delayOf(body)); });
  try {
    return json(answerSearch(collection, body));
  } catch (error) {
    if (error instanceof Refusal) return problem(400, error.report);
    throw error;
  }
}

function answerEmbedder({ embedder }, file) {
  if (!embedder) return problem(404, { code: 'no_embedder', message: 'the server was started without an embedder' });
  if (file === '') {
    const files = Object.fromEntries(Object.entries(FILES).map(([name, { length }]) => [name, { bytes: length }]));
    return json({ name: 'wordllama-256', dim: 256, hash: embedder, files });
  }
  return [200, 'application/octet-stream', FILES[file]];
}

function listFiles({ engine, version }) {
  const files = readdirSync(WEB, { withFileTypes: true }).filter((one) => one.isFile()).map(({ name }) => name);
  if (engine) files.push(...Object.keys(ENGINE).map((name) => `kithdb/${name}`));
  return { version, engine, files };
}

async function sendFile({ engine }, path) {
  if (path === '/openapi.json') return [200, 'application/json', readFileSync(at('../../docs/openapi.json'))];
  const name = PAGES[path] ?? path.replace(/^\/ui\//, '');
  const place = /^[a-z-]+\.[a-z]+$/.test(name) ? join(WEB, name) : engine && ENGINE[name.replace(/^kithdb\//, '')];
  try {
    return [200, `${TYPES[extname(place)]}; charset=utf-8`, await readFile(place)];
  } catch {
    return problem(404, { code: 'unknown_route', message: `nothing is served at ${path}` });
  }
}
