// The only module that knows where the data is: on the server of this page, or in this tab. Both speak the shape of the
// TypeScript interface, a database with collections that answer `search(request)`.

import { connectServer } from './server-data.js';
import { connectTab } from './tab-data.js';

export { isKept } from './own.js';

/** The places, by the word that stands for each in an address. */
export const PLACES = ['server', 'tab'];

/** The database at a place. `close()` lets go of it. */
export const connect = (place) => (place === 'tab' ? connectTab() : connectServer());

/** Whether this browser and what the server was built with can search in the tab. */
export async function canSearchInTab() {
  const browser = ['Worker', 'indexedDB', 'caches', 'WebAssembly'].every((name) => name in globalThis);
  if (!browser) return false;
  try {
    const response = await fetch('/ui/files.json');
    return response.ok && (await response.json()).engine === true;
  } catch {
    return false;
  }
}

/** Whether the server answers. Asked by a page that does not need it. */
export async function isServerThere() {
  try {
    return (await fetch('/healthz', { cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}
