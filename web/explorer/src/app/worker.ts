// Starts Workers of the explorer, and the service worker that keeps the pages for the time without a server. Where browsers
// let a policy say which addresses may become scripts, it is these alone.

import { engineWorkerAddress, offlineAddress } from '../data/place.js';

/** The one policy that the server's headers allow; it lets the built Workers, the engine's and the service worker through. */
const policy = globalThis.trustedTypes?.createPolicy('kith', {
  createScriptURL(address) {
    const { href } = new URL('assets/', document.baseURI);
    if ([offlineAddress().href, engineWorkerAddress().href].includes(address)) return address;
    if (new URL(address, document.baseURI).href.startsWith(href)) return address;
    throw new TypeError(`${address} is not a script of this page`);
  },
});

/** A Worker by what `import url from './some.worker.ts?worker&url'` gives, or the engine's. */
export const startWorker = (url: string): Worker =>
  new Worker((policy?.createScriptURL(url) ?? url) as string, { type: 'module' });

/** Lets the page be loaded without the server from now on. A browser that cannot do that is no reason to stop. */
export async function keepForOffline(): Promise<void> {
  const { href } = offlineAddress();
  try {
    await navigator.serviceWorker?.register((policy?.createScriptURL(href) ?? href) as string);
  } catch (error) {
    console.warn('This page will not load without its server:', error);
  }
}
