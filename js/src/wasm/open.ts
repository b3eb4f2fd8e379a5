// Opens databases of the browser engine: over a store, or in memory.

import { encodeRequest } from '../encode.js';
import { EngineDatabase } from '../engine/database.js';
import type { LocalDatabase, OpenOptions } from '../types.js';
import { WasmBackend } from './backend.js';
import { type EmbedderFiles, embedderFiles } from './embedder.js';
import { Host } from './host.js';
import { type Enter, entrance } from './load.js';
import type { WasmSource } from './module.js';
import type { Ingredients } from './restore.js';
import type { Release, Store } from './store.js';

/** What the browser engine is given. */
export interface EngineOptions extends Omit<OpenOptions, 'embed' | 'embedder' | 'threads' | 'memory_max' | 'read_only'> {
  /**
   * What turns texts into vectors: its files, or the URL of a folder with `model.safetensors` and `tokenizer.json`,
   * whose last part is then its name.
   */
  embedder?: string | EmbedderFiles | undefined;
  /**
   * Threads for building indexes; default 1. More run in a Worker of a page that is cross-origin isolated; elsewhere
   * one thread gives the same answers.
   */
  threads?: number | undefined;
  /**
   * Where the wasm module comes from; default the file beside the JavaScript. The first database of a page or Worker
   * decides for all of it.
   */
  wasm?: WasmSource | undefined;
}

/** Opens what `take` takes; undefined for a database in memory. `enter` is a test's way to bring its own module. */
export async function openWasm(
  take: (() => Promise<Taken>) | undefined,
  options: EngineOptions | undefined,
  enter?: Enter,
): Promise<LocalDatabase> {
  return new EngineDatabase(await openBackend(take, options, enter));
}

/** As `openWasm`, for whoever calls the engine itself. */
export async function openBackend(
  take: (() => Promise<Taken>) | undefined,
  options: EngineOptions | undefined,
  enter?: Enter,
): Promise<WasmBackend> {
  const prepared = await prepare(options, enter);
  const taken = await take?.();
  const host = await Host.open({
    ...prepared,
    store: taken?.store,
    release: taken?.release ?? (async () => {}),
  });
  return new WasmBackend(host);
}

/** What an engine is made with, and where it is. */
export async function prepare(options: EngineOptions | undefined, enter?: Enter): Promise<Prepared> {
  const { wasm, embedder, ...known } = options ?? {};
  const entered = enter ?? entrance({ wasm, threads: known.threads });
  return { enter: entered, options: encodeRequest(known), embedder: await embedderFiles(embedder) };
}

/** Once options were looked at. */
export interface Prepared extends Ingredients {
  enter: Enter;
}

/** What a database is kept in, and what lets go of the rest that was taken for it. */
export interface Taken {
  store: Store;
  release: Release;
}
