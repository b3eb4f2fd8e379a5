// A database in memory on the browser's engine, for machines without an addon.

import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { encodeString } from '../encode.js';
import { type BackendDatabase, wait } from '../engine/backend.js';
import { EngineDatabase } from '../engine/database.js';
import { checkEmbed } from '../engine/embed.js';
import { KithError } from '../errors.js';
import type { NodeDatabase, OpenOptions } from '../types.js';

/** The module `wasm/open.js` of the other build of this package, as far as it is used here. */
interface Wasm {
  openBackend(take: undefined, options: EngineOptions): Promise<BackendDatabase>;
}

interface EngineOptions extends Omit<OpenOptions, 'embed' | 'embedder'> {
  embedder: { name: string; model: Uint8Array; tokenizer: Uint8Array } | undefined;
  wasm: Uint8Array;
}

let isTold = false;

/** Opens it, and says once why; its engine judges the options, of which `memory_max` means nothing there. */
export async function openFallback(why: KithError, { embed, embedder, ...options }: OpenOptions = {}): Promise<NodeDatabase> {
  const checked = checkEmbed(embed);
  if (!isTold) process.emitWarning(`KithDB runs its slower WebAssembly engine: ${why.message}`, { code: why.code });
  isTold = true;
  const { load } = require('../../../wasm.cjs') as { load: () => Promise<Wasm> };
  const { openBackend } = await load();
  const wasm = await readFile(join(__dirname, '../../wasm/kithdb_wasm_bg.wasm'));
  const files = embedder === undefined || embedder === null ? undefined : await filesOf(encodeString('an embedder', embedder));
  return new EngineDatabase(await wait(() => openBackend(undefined, { ...options, embedder: files, wasm })), checked);
}

async function filesOf(directory: string): Promise<EngineOptions['embedder']> {
  const read = (name: string) => readFile(join(directory, name)).catch((error: Error) => Promise.reject(unreadable(name, error)));
  // One after the other: where both cannot be read, the first is named, as by the addon.
  const model = await read('model.safetensors');
  const tokenizer = await read('tokenizer.json');
  return { name: basename(resolve(directory)), model, tokenizer };
}

/** As the core says it of a directory (core/src/host/embedder.rs). */
function unreadable(name: string, error: Error): KithError {
  const [expected, got] = [`a readable ${name} in the embedder's directory`, error.message];
  return new KithError({ code: 'invalid_file', message: `invalid embedder file: expected ${expected}, got ${got}`, expected, got }, error);
}
