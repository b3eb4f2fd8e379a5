// The bare wasm module under Node, driven through a fixed history; answers with the files that it has written.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { answering } from './answering.mjs';
import { serve } from './protocol.mjs';

const built = new URL('../../js/dist/wasm/', import.meta.url);
const { default: init, WasmDatabase } = await import(new URL('kithdb_wasm.js', built));
await init({ module_or_path: await readFile(new URL('kithdb_wasm_bg.wasm', built)) });

let database;
let collection;
let blobs;

/** Takes the queued work as a store does; what is removed goes. */
function store() {
  for (let batch; (batch = database.takeWork(1 << 20)) !== undefined; database.kept(batch.ticket, true)) {
    for (const { kind, storage, blob, offset, total, bytes } of batch.work) {
      if (storage !== collection) continue;
      if (kind === 'removeBlob') blobs.delete(blob);
      if (kind !== 'blob') continue;
      if (offset === 0) blobs.set(blob, new Uint8Array(total));
      blobs.get(blob).set(bytes, offset);
    }
  }
}

const ops = {
  create({ id, now, config }) {
    Date.now = () => now;
    database = WasmDatabase.restore('{}', { storages: [] });
    database.create('golden', JSON.stringify(config), BigInt(id));
    collection = database.collection('golden');
    blobs = new Map();
    store();
  },
  upsert({ documents }) {
    const vectors = Float32Array.from(documents.flatMap(({ vector }) => vector ?? []));
    const lengths = Int32Array.from(documents, ({ vector }) => vector?.length ?? -1);
    const metadata = documents.map((document) => JSON.stringify(document.metadata));
    database.write(collection, documents.map(({ id }) => id), vectors, lengths, metadata, [], true, '{"durability":"always"}');
    store();
  },
  link({ edges }) {
    database.link(collection, JSON.stringify({ edges, durability: 'always' }));
    store();
  },
  delete({ ids }) {
    database.delete(collection, ids, '{"durability":"always"}');
    store();
  },
  job({ kind }) {
    if (!database.begin(collection, kind)) throw new Error(`nothing to ${kind}`);
    while (!database.step(collection, 50));
    database.finish(collection);
    store();
  },
  async files({ folder }) {
    const contents = [...blobs].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
    contents.push(database.export(collection));
    const paths = contents.map((_, i) => join(folder, `${i}`));
    await Promise.all(contents.map((bytes, i) => writeFile(paths[i], bytes)));
    database.free();
    return { files: paths };
  },
};

await serve(answering(ops, () => false));
