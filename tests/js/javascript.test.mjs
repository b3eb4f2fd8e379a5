// docs/JAVASCRIPT.md: its examples answer what stands behind them on each engine, and its table has every verb.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { KithError, connect, openMemory } from 'kithdb';
import * as browser from 'kithdb/wasm';

import { startServer } from './server.mjs';
import { after, folder } from './support.mjs';

const page = readFileSync(new URL('../../docs/JAVASCRIPT.md', import.meta.url), 'utf8');
const WASM = new URL('../../js/dist/wasm/kithdb_wasm_bg.wasm', import.meta.url);

const ENGINES = {
  native: () => openMemory(),
  remote: async (t) => {
    const server = await startServer(folder(t));
    after(t, () => server.stop());
    return connect(server.address);
  },
  wasm: async () => browser.openMemory({ wasm: readFileSync(WASM) }),
};

/** The lines of the examples that an engine can run: all, but for those that name others. */
function examples(engine) {
  return [...page.matchAll(/^```js(.*?)\n(.*?)^```/gms)]
    .filter(([, engines]) => engines.trim() === '' || engines.trim().split(' ').includes(engine))
    .flatMap(([, , code]) => code.split('\n'));
}

/** A line with its answer behind it, as a call that compares them; else the line. */
function compared(line) {
  const [, before, expression, answer] = /^(\]\); |)(.*?;?) \/\/ (.+)$/.exec(line) ?? [];
  if (!expression) return line;
  const [what, told] = [expression.replace(/;$/, ''), JSON.stringify(answer)];
  return `${before}await check(${JSON.stringify(what)}, ${told}, async () => (${what}));`;
}

/** Compares what an example answers: JSON, the ids of hits, or the code of an error. */
async function check(expression, answer, work) {
  let found;
  try {
    found = await work();
  } catch (error) {
    // Each build of the package has its own class.
    if (!(error instanceof KithError) && !(error instanceof browser.KithError)) throw error;
    assert.equal(error.code, answer, `${expression}: ${error.message}`);
    return;
  }
  const isJson = /^[[{"\d-]|^(null|true|false)$/.test(answer);
  if (isJson) assert.deepEqual(JSON.parse(JSON.stringify(found)), JSON.parse(answer), expression);
  else assert.equal(found.hits?.map(({ id }) => id).join(', '), answer, expression);
}

for (const [engine, open] of Object.entries(ENGINES)) {
  const skip = engine === 'wasm' && !existsSync(WASM) && 'the browser module is not built';
  test(`the examples of the page hold on the ${engine} engine`, { skip }, async (t) => {
    const db = await open(t);
    after(t, () => db.close());
    // An answer behind a statement of several lines is that of the whole.
    const text = examples(engine).join('\n').replace(/^await (\w+\.\w+\(\[\n(?:.*\n)*?\]\)); \/\/ (.+)$/gm, (_, call, answer) => {
      return `await check('several lines', ${JSON.stringify(answer)}, async () => await ${call});`;
    });
    let count = 0;
    const counted = async (...args) => {
      count += 1;
      await check(...args);
    };
    const code = `return (async () => {\n${text.split('\n').map(compared).join('\n')}\n})();`;
    await new Function('check', 'db', code)(counted, db);
    assert.ok(count >= 20, `${count} answers were compared`);
  });
}

/** Names of the table's first column, and the requests of its second. */
const rows = [...page.matchAll(/^\| (`(?:db|kv|collection|graph)\..*?) \| (.*) \|$/gm)].map(([, verbs, requests]) => {
  let group;
  const names = [...verbs.matchAll(/`(?:(\w+)\.)?(\w+)`/g)].map(([, of, verb]) => {
    group = of ?? group;
    return `${group}.${verb}`;
  });
  return { names, requests: [...requests.matchAll(/`([A-Z]+) (.*?)`/g)].map(([, method, path]) => ({ method, path })) };
});

test('the table has every verb of the interface, and no other', async (t) => {
  const db = await openMemory();
  after(t, () => db.close());
  const collection = await db.create('c');
  const methods = (object) => Object.getOwnPropertyNames(Object.getPrototypeOf(object));
  const verbs = (group, object) =>
    methods(object).filter((name) => name !== 'constructor' && !name.endsWith('Sync')).map((name) => `${group}.${name}`);
  const all = [verbs('db', db), verbs('kv', db.kv), verbs('collection', collection), verbs('graph', collection.graph)];
  assert.deepEqual(rows.flatMap(({ names }) => names).sort(), all.flat().sort());
});

test('every request of the table is served', async (t) => {
  const server = await startServer(folder(t));
  after(t, () => server.stop());
  for (const { method, path } of rows.flatMap(({ requests }) => requests)) {
    const where = path.replace('{c}', '/v1/collections/none').replace(/\{\w+\}/g, 'x');
    const type = where.endsWith('/import') ? 'application/octet-stream' : 'application/json';
    const body = method === 'GET' ? undefined : '{}';
    const response = await fetch(server.address + where, { method, body, headers: { 'content-type': type } });
    const { code } = response.ok ? {} : await response.json();
    assert.ok(!['unknown_route', 'method_not_allowed', 'unsupported_media_type'].includes(code), `${method} ${path}: ${code}`);
  }
});
