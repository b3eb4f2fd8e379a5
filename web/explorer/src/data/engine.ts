// Brings the engine: a module of the server's, imported when a database is first wanted. Its 3 MB of WebAssembly come
// with the first database of this browser, in a Worker of its own, and not before.

import { engineAddress } from './place.js';
import type { BrowserOptions, ConnectOptions, Database } from './types.js';

/** What of the module is used. */
interface Engine {
  connect(url: string | URL, options?: ConnectOptions): Promise<Database>;
  deleteDatabase(name: string): Promise<boolean>;
  open(name: string, options?: BrowserOptions): Promise<Database>;
}

let loading: Promise<Engine> | undefined;

/** The engine's module; a failed load is tried again at the next call. */
export function engine(): Promise<Engine> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Engine> {
  const address = engineAddress().href;
  try {
    return (await import(/* @vite-ignore */ address)) as Engine;
  } catch (cause) {
    const message = `the engine could not be loaded from ${address}`;
    const hint = 'the server has it when it was built with js/dist beside it: npm run build';
    throw Object.assign(new Error(message, { cause }), { code: 'engine_not_loaded', hint });
  }
}
