// Starts Workers of the explorer, and the service worker that keeps the pages for the time without a server. Where browsers let a policy say which addresses may become scripts, it is these alone.

import { engineWorkerAddress } from '../data/place.js';

/** The search page's service worker keeps the explorer, too; it knows the addresses of a server that is not below a path. */
const [OFFLINE, PAGES, HERE] = ['/ui/offline.js', '/ui/', '/ui/explorer/'];

/** The one policy that the server's headers allow; it lets the built Workers through and nothing else. */
const policy = globalThis.trustedTypes?.createPolicy('kith', {
  createScriptURL(address) {
    const { href } = new URL('assets/', document.baseURI);
    if (address === OFFLINE || address === engineWorkerAddress().href) return address;
    if (new URL(address, document.baseURI).href.startsWith(href)) return address;
    throw new TypeError(`${address} is not a script of this page`);
  },
});

/** A Worker by what `import url from './some.worker.ts?worker&url'` gives, or the engine's. */
export const startWorker = (url: string): Worker =>
  new Worker((policy?.createScriptURL(url) ?? url) as string, { type: 'module' });

/** Lets the page be loaded without the server from now on. A browser that cannot do that is no reason to stop. */
export async function keepForOffline(): Promise<void> {
  if (location.pathname !== HERE) return;
  try {
    await navigator.serviceWorker?.register((policy?.createScriptURL(OFFLINE) ?? OFFLINE) as string, { scope: PAGES });
  } catch (error) {
    console.warn('This page will not load without its server:', error);
  }
}
