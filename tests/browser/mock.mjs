// A stand-in for the server in the test of the API's page: serves web/ under the server's own headers, and the document.

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const WEB = at('../../web/');
const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

/** The headers under which the page has to work: those in the server's source. */
const HEADERS = readHeaders();

function readHeaders() {
  const source = readFileSync(at('../../server/src/page.rs'), 'utf8');
  const [, policy] = /const POLICY: &str = "([^"]*)"/.exec(source);
  const [, table] = /const HEADERS: [^=]*= \[([^;]*)\];/.exec(source);
  const pairs = [...table.matchAll(/\("([a-z-]+)", (?:"([^"]+)"|POLICY)\)/g)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value ?? policy.replace(/\\\s+/g, '')]));
}

/** Listens on a free port of this machine. */
export async function startMock() {
  const server = createServer(async (request, response) => {
    const [status, type, body] = await answer(new URL(request.url, 'http://localhost').pathname);
    response.writeHead(status, { ...HEADERS, 'content-type': type, 'cache-control': 'no-cache' });
    response.end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const stop = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${server.address().port}`, stop };
}

async function answer(path) {
  if (path === '/openapi.json') return [200, 'application/json', readFileSync(at('../../docs/openapi.json'))];
  const name = path === '/docs' ? 'api.html' : path.replace(/^\/ui\//, '');
  try {
    return [200, `${TYPES[extname(name)]}; charset=utf-8`, await readFile(join(WEB, name))];
  } catch {
    return [404, 'application/problem+json', '{}'];
  }
}
