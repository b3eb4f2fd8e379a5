// Starts Workers of the explorer. Where browsers let a policy say which addresses may become scripts, it is these alone.

/** The one policy that the server's headers allow; it lets the built Workers through and nothing else. */
const policy = globalThis.trustedTypes?.createPolicy('kith', {
  createScriptURL(address) {
    const { href } = new URL('assets/', document.baseURI);
    if (new URL(address, document.baseURI).href.startsWith(href)) return address;
    throw new TypeError(`${address} is not a script of this page`);
  },
});

/** A Worker by what `import url from './some.worker.ts?worker&url'` gives. */
export const startWorker = (url: string): Worker =>
  new Worker((policy?.createScriptURL(url) ?? url) as string, { type: 'module' });
