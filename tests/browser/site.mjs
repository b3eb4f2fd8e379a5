// A site for tests: serves the compiled package, modules of tests/ and files of the runner, under a strict policy and
// isolated, as a page has to be that wants threads.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

/** A policy under which no text becomes the address of a script, so that a page starts no Worker either. */
export const STRICTEST = {
  'content-security-policy': `${POLICY}; require-trusted-types-for 'script'; trusted-types 'none'`,
};

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-opener-policy': 'same-origin',
};

/** The folders that the site shows, by the first part of the path. */
const FOLDERS = {
  kithdb: new URL('../../js/dist/', import.meta.url),
  surfaces: new URL('../surfaces/', import.meta.url),
  browser: new URL('./', import.meta.url),
};

/**
 * Starts a site whose page `/` runs the module `script`, a path of this site. `folders` are shown beside the usual ones,
 * `headers` replace the usual ones. Returns its origin and a way to stop it.
 */
export async function startSite(script, folders = {}, headers = {}) {
  const shown = { ...FOLDERS, ...folders };
  const page = `<!doctype html><title>test</title><script type="module" src="${script}"></script>`;
  const read = async (path) => {
    if (path === '/') return ['.html', page];
    const [, folder, name] = /^\/([a-z-]+)\/([\w./@-]+)$/.exec(path) ?? [];
    if (!Object.hasOwn(shown, folder ?? '') || name.includes('..')) return undefined;
    return [extname(name), await readFile(new URL(name, shown[folder]))];
  };
  const server = createServer(async (request, response) => {
    const found = await read(new URL(request.url, 'http://site').pathname).catch(() => undefined);
    const type = TYPES[found?.[0]] ?? 'application/octet-stream';
    response.writeHead(found ? 200 : 404, { ...HEADERS, ...headers, 'content-type': type });
    response.end(found?.[1]);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const stop = () => new Promise((done) => { server.close(done); server.closeAllConnections(); });
  return { origin: `http://127.0.0.1:${server.address().port}`, stop };
}
