// Loads the wasm module once for a page or Worker: the plain one, or the one with threads where it is wanted and can run.

import type { KithError } from '../errors.js';
import { notLoaded } from './errors.js';
import { type Inhabitant, type Instance, Instances } from './instance.js';
import type { WasmModule, WasmSource } from './module.js';

/** Brings an inhabitant into a living instance. */
export type Enter = (inhabitant: Inhabitant) => Promise<Instance>;

/** What decides which module is loaded, and from where. */
export interface LoadOptions {
  /** Where the plain module comes from; left out, the file beside the JavaScript. The first load decides. */
  wasm?: WasmSource | undefined;
  /** With more than one the module with threads is preferred. */
  threads?: number | undefined;
}

/** Threads that have not started after so long are done without. */
const START_MS = 5000;

let plain: Promise<Instances> | undefined;
let threaded: Promise<Instances | undefined> | undefined;

/** How instances are entered with these options. Loading begins at once, beside whatever else opening takes. */
export function entrance(options: LoadOptions): Enter {
  const loading = load(options);
  loading.catch(() => {}); // Whoever enters is told.
  let isFirst = true;
  return async (inhabitant) => {
    const instances = isFirst ? await loading : await load(options);
    isFirst = false;
    return instances.enter(inhabitant);
  };
}

async function load({ wasm, threads }: LoadOptions): Promise<Instances> {
  // Nothing can end the threads of a dead instance, so that one is not followed by another with threads.
  const preferred = threads !== undefined && threads > 1 && canHaveThreads() ? await loadThreads(threads) : undefined;
  return preferred?.usable ? preferred : loadPlain(wasm);
}

function loadPlain(source: WasmSource | undefined): Promise<Instances> {
  plain ??= start(() => import('./kithdb_wasm.js'), source).catch((error: KithError) => {
    plain = undefined;
    throw error;
  });
  return plain;
}

async function start(load: () => Promise<WasmModule>, source: WasmSource | undefined): Promise<Instances> {
  try {
    const module = await load();
    await (source === undefined ? module.default() : module.default({ module_or_path: source }));
    return new Instances(module, true);
  } catch (error) {
    throw notLoaded(error);
  }
}

/** Waiting for threads is not allowed on the main thread of a page, and sharing memory needs isolation. */
function canHaveThreads(): boolean {
  return globalThis.crossOriginIsolated === true && typeof document === 'undefined';
}

function loadThreads(threads: number): Promise<Instances | undefined> {
  threaded ??= startThreads(threads).catch(() => undefined);
  return threaded;
}

async function startThreads(threads: number): Promise<Instances> {
  // Its threads are Workers that start Workers of their own script, at which Turbopack's builds wait for ever
  // (vercel/next.js#97399): it leaves this out, and there is one thread.
  const module: WasmModule = await import(/* turbopackIgnore: true */ './threads/kithdb_wasm.js');
  await module.default();
  // A thread whose script is not found says nothing, and would be waited for without end.
  const late = new Promise((_, fail) => setTimeout(fail, START_MS, new Error('the threads do not start')));
  await Promise.race([module.initThreadPool!(threads), late]);
  return new Instances(module, false);
}
