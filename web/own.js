// Starts the two scripts of this page that run beside it: the engine's Worker and the service worker that keeps the
// page for the time without a server. Where browsers let a policy say which addresses may become scripts, it is these.

const WORKER = '/ui/tab-worker.js';
const OFFLINE = '/ui/offline.js';

/** The one policy that the server's headers allow; it lets two addresses through and nothing else. */
const policy = globalThis.trustedTypes?.createPolicy('kith', {
  createScriptURL(address) {
    if (address === WORKER || address === OFFLINE) return address;
    throw new TypeError(`${address} is not a script of this page`);
  },
});

const trusted = (address) => policy?.createScriptURL(address) ?? address;

/** The Worker with the engine. */
export const startWorker = () => new Worker(trusted(WORKER), { type: 'module', name: 'kithdb' });

/** Lets the page be loaded without the server from now on. A browser that cannot do that is no reason to stop. */
export async function keepForOffline() {
  try {
    await navigator.serviceWorker?.register(trusted(OFFLINE), { scope: '/ui/' });
  } catch (error) {
    console.warn(`This page will not load without its server: ${error.message}`);
  }
}

/** Whether the page was loaded through the service worker, so that it has been used in this browser before. */
export const isKept = () => Boolean(navigator.serviceWorker?.controller);
