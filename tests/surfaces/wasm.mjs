// The browser's engine under Node as a surface: over the wasm module, kept in a store in memory.

import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { KithError } from '../../js/dist/browser.js';
import { openWasm } from '../../js/dist/wasm/open.js';

import { MemoryStore } from '../js/wasm/store.mjs';
import { answering } from './answering.mjs';
import { diskOf } from './directory.mjs';
import { operations } from './operations.mjs';
import { serve } from './protocol.mjs';

const wasm = await WebAssembly.compile(
  await readFile(new URL('../../js/dist/wasm/kithdb_wasm_bg.wasm', import.meta.url)),
);

/** What was stored under each path, for as long as this process lives. */
const disks = new Map();

async function embedderOf(folder) {
  const [model, tokenizer] = await Promise.all(
    ['model.safetensors', 'tokenizer.json'].map((name) => readFile(join(folder, name))),
  );
  return { name: basename(folder), model, tokenizer };
}

const ops = operations({
  async open(path, { embedder: folder, ...options }) {
    const embedder = folder === undefined ? undefined : await embedderOf(folder);
    if (!disks.has(path)) disks.set(path, diskOf(path));
    const taken = { store: new MemoryStore(disks.get(path)), release() {} };
    return openWasm(async () => taken, { ...options, embedder, wasm });
  },
  load: (file) => readFile(file),
  save: (file, bytes) => writeFile(file, bytes),
});

await serve(answering(ops, (error) => error instanceof KithError));
await ops.close();
