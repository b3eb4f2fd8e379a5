// A database in memory on the browser's engine, for machines without an addon.

import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { type BackendDatabase, wait } from '../engine/backend.js';
import { EngineDatabase } from '../engine/database.js';
import { checkEmbed } from '../engine/embed.js';
import type { KithError } from '../errors.js';
import type { NodeDatabase, OpenOptions } from '../types.js';

/** The module `wasm/open.js` of the other build of this package, as far as it is used here. */
interface Wasm {
  openBackend(take: undefined, options: EngineOptions): Promise<BackendDatabase>;
}

interface EngineOptions extends Pick<OpenOptions, 'durability' | 'threads'> {
  embedder: { name: string; model: Uint8Array; tokenizer: Uint8Array } | undefined;
  wasm: Uint8Array;
}

let isTold = false;

/** Opens it, and says once why; `read_only` and `memory_max` mean nothing there. */
export async function openFallback(why: KithError, options: OpenOptions = {}): Promise<NodeDatabase> {
  if (!isTold) process.emitWarning(`KithDB runs its slower WebAssembly engine: ${why.message}`, { code: why.code });
  isTold = true;
  const { durability, embedder, threads, embed } = options;
  const { load } = require('../../../wasm.cjs') as { load: () => Promise<Wasm> };
  const { openBackend } = await load();
  const wasm = await readFile(join(__dirname, '../../wasm/kithdb_wasm_bg.wasm'));
  const files = embedder === undefined ? undefined : await filesOf(embedder);
  const backend = await wait(() => openBackend(undefined, { durability, threads, embedder: files, wasm }));
  return new EngineDatabase(backend, checkEmbed(embed));
}

async function filesOf(directory: string): Promise<EngineOptions['embedder']> {
  const [model, tokenizer] = await Promise.all([
    readFile(join(directory, 'model.safetensors')),
    readFile(join(directory, 'tokenizer.json')),
  ]);
  return { name: basename(resolve(directory)), model, tokenizer };
}
