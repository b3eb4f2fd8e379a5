// The Node surface for the scenario runner: one JSON request a line on stdin, one JSON answer a line on stdout.
//
// {"op": ..., "args": {...}} is answered by {"ok": result} or {"error": {code, message, expected, got, position, hint}},
// in the shapes of REST. Everything goes through the package's public interface.

import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

import { KithError, open, openMemory } from 'kithdb';

let database;

const collection = (name) => {
  if (!database) throw new Error('open a database first');
  return database.collection(name);
};

const job = (kind) => async ({ name }) => ({ done: await collection(name)[kind]() });

const ops = {
  async open({ path, ...options }) {
    await database?.close();
    database = undefined;
    database = path === null || path === undefined ? await openMemory(options) : await open(path, options);
    return {};
  },
  async close() {
    await database?.close();
    database = undefined;
    return {};
  },
  create: async ({ name, config }) => (await database.create(name, config)).info(),
  async drop({ name }) {
    await database.drop(name);
    return {};
  },
  collections: async () => ({ collections: await database.collections() }),
  info: ({ name }) => collection(name).info(),
  add: ({ name, documents, mode, ...options }) =>
    mode === 'insert'
      ? collection(name).addMany(documents, options)
      : collection(name).upsertMany(documents, options),
  get: async ({ name, ids }) => ({ documents: await collection(name).getMany(ids) }),
  delete: async ({ name, ids, ...options }) => ({ deleted: await collection(name).delete(ids, options) }),
  // Every second search is a synchronous one: they are to answer the same.
  search: ({ name, request }) => {
    searches += 1;
    return searches % 2 === 0 ? collection(name).searchSync(request) : collection(name).search(request);
  },
  scan: ({ name, ...page }) => collection(name).scan(page),
  seal: job('seal'),
  index: job('index'),
  merge: job('merge'),
  async export({ name, file }) {
    await writeFile(file, await collection(name).export());
    return {};
  },
  import: async ({ name, file }) => (await database.import(name, await readFile(file))).info(),
  async flush() {
    await database.flush();
    return {};
  },
};

let searches = 0;

async function answer(line) {
  try {
    const { op, args } = JSON.parse(line);
    if (!Object.hasOwn(ops, op)) throw new Error(`no op ${op}`);
    return { ok: await ops[op](args ?? {}) };
  } catch (error) {
    if (!(error instanceof KithError)) return { error: { code: 'adapter', message: String(error?.stack ?? error) } };
    const { code, message, expected, got, position, hint } = error;
    return { error: { code, message, expected, got, position, hint } };
  }
}

const plain = (_, value) => (value instanceof Float32Array ? Array.from(value) : value);

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() === '') continue;
  const text = JSON.stringify(await answer(line), plain);
  if (!process.stdout.write(`${text}\n`)) await new Promise((done) => process.stdout.once('drain', done));
}
await database?.close();
