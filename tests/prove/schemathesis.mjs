// Runs schemathesis, from PyPI, over the OpenAPI document of a server with a token, with all of its checks: requests that the
// document allows and such that it does not, for KITH_PROVE_SECONDS. No answer is a failure of the server, and each is what the
// document tells of. Two rounds: in the first a collection is there that requests can be about; the second names what it likes.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureFolder, sha256 } from '../../.ci/lib/data.mjs';
import { python, serving } from '../../.ci/lib/kektordb.mjs';
import { run } from '../../.ci/lib/run.mjs';
import { Refusal, main, step } from '../../.ci/lib/say.mjs';

const PACKAGE = 'schemathesis==4.32.5';
const TOKEN = 'a-token-of-the-proof-and-of-nothing-else';
/** A round has at least so long. */
const SECONDS_MIN = 20;

/** Streams do not end, a profile lasts for as long as it is asked for, and what is not served answers 501, which is no answer to look into. */
const LEFT_OUT = ['--exclude-path', '/v1/events', '--exclude-path', '/events/stream', '--exclude-path', '/v1/profile', '--exclude-tag', 'KektorDB: not served'];
/** What would take away the collection that requests are about. */
const KEPT = ['dropCollection', 'kektorDropIndex', 'ruvectorDrop', 'ruvectorDropSlash'];

/**
 * The tool sends more wrong tokens than are let pass from one address in a minute, so that each request comes from another one.
 * Linux alone has all of 127/8; elsewhere wrong tokens are tried by server/src/tests/access.rs, on every route.
 */
const HAS_MANY_ADDRESSES = process.platform === 'linux';
const ADDRESSES = 250;
const NOT_CHECKED = HAS_MANY_ADDRESSES ? [] : ['--exclude-checks', 'ignored_auth'];

/**
 * What a schema cannot tell is refused as well: that a vector has another dimension, that a text is no filter. 503 is the answer
 * to a text where nothing embeds texts.
 */
const CONFIG = `
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 304, 308, 400, 401, 403, 404, 408, 409, 410, 412, 413, 422, 429, 503, 507]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]

# A verb such as kv/get is a key as well, so that Allow names what can be done with either.
[[operations]]
include-path-regex = '^/v1/(kv|collections/\\{name\\}/documents)/[^/]+$'
checks.allow_header_conformance.enabled = false
`;
const ABOUT = `
[parameters]
"path.name" = "films"
`;

await main(async () => {
  if (python() === undefined) {
    console.log('skipped: Python with pip is missing, and schemathesis is not tried');
    return;
  }
  const packages = await ensureSchemathesis();
  const seconds = Math.max(SECONDS_MIN, Number(process.env.KITH_PROVE_SECONDS ?? 60) / 2);
  const rounds = [['about a collection', ABOUT, KEPT.flatMap((id) => ['--exclude-operation-id', id])], ['about anything', '', []]];
  let count = 0;
  for (const [what, config, args] of rounds) {
    const asking = (port, env) => serving((to) => round(packages, port(to), config + CONFIG, args, seconds), { ...env, KITH_TOKEN: TOKEN });
    count += await step(`asking ${what}`, () => (HAS_MANY_ADDRESSES ? fromManyAddresses(asking) : asking((to) => to, {})));
  }
  console.log(`counted: schemathesis requests=${count} failures=0`);
});

function ensureSchemathesis() {
  const recipe = sha256(PACKAGE, python());
  return ensureFolder('schemathesis', recipe, `fetching schemathesis (PyPI ${PACKAGE})`, (fresh) =>
    run('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', fresh, PACKAGE]));
}

/**
 * Has `work` begin a server that takes another port for its own: what comes to that goes on to the server, each connection from
 * another address. `work` gets what it is to call with the server's port, which answers the other, and variables of the server.
 */
async function fromManyAddresses(work) {
  let [to, count] = [0, 0];
  const between = createServer((client) => {
    const localAddress = `127.0.1.${(count++ % ADDRESSES) + 1}`;
    const server = connect({ host: '127.0.0.1', port: to, localAddress });
    for (const [one, other] of [[client, server], [server, client]]) {
      // Whoever goes takes the other along: there is nobody left to be told.
      one.pipe(other).on('error', () => one.destroy());
      one.on('error', () => other.destroy());
    }
  });
  await new Promise((done) => between.listen(0, '127.0.0.1', done));
  const { port } = between.address();
  const through = (server) => {
    to = server;
    return port;
  };
  try {
    return await work(through, { KITH_ALLOWED_HOST: `127.0.0.1:${port}` });
  } finally {
    between.close();
  }
}

/** How many requests were sent; it fails where one answer was wrong. */
async function round(packages, port, config, more, seconds) {
  const url = `http://127.0.0.1:${port}`;
  await seed(url);
  const work = mkdtempSync(join(tmpdir(), 'kithdb-schemathesis-'));
  try {
    writeFileSync(join(work, 'schemathesis.toml'), config);
    const program = 'from schemathesis.cli import schemathesis; schemathesis()';
    const options = ['run', `${url}/openapi.json`, '--header', `Authorization: Bearer ${TOKEN}`, '--header', 'Connection: close', '--checks', 'all', ...NOT_CHECKED, ...LEFT_OUT, ...more];
    const env = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' };
    let text = '';
    const onText = (piece) => { text += piece; };
    const args = ['-c', program, ...options, '--max-time', String(seconds), '--continue-on-failure'];
    const code = await run('python3', args, { cwd: work, env, mayFail: true, onText });
    if (code !== 0) throw new Refusal(text.slice(-20_000));
    return Number(/([\d,]+) generated/.exec(text)?.[1].replaceAll(',', '') ?? 0);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A collection with documents, edges and text. */
async function seed(url) {
  const ask = async (path, body) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Refusal(`${path}: ${await answer.text()}`);
  };
  await ask('/v1/collections', { name: 'films', text: {}, history: 'forever' });
  const documents = ['alien', 'up', 'moon'].map((id, i) => ({ id, vector: [1, i, 0.5], metadata: { plot: `a story of ${id}`, year: 1979 + i } }));
  await ask('/v1/collections/films/documents', { documents });
  await ask('/v1/collections/films/graph/link', { edges: [{ source: 'up', relation: 'inspired', target: 'moon' }] });
}
