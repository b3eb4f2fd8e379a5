// What the tests of the browser engine call inside a page: `globalThis.kith`.

import * as kithdb from '/kithdb/browser.js';

/** The code of what `work` fails with. */
async function refused(work) {
  try {
    await work();
  } catch (error) {
    return error instanceof kithdb.KithError ? error.code : `not a KithError: ${error}`;
  }
  return 'nothing was thrown';
}

/** Documents with a vector, a text, and if wanted some bytes of ballast that do not compress. */
function documents(from, count, ballast = 0) {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const metadata = { n, text: `document number${n}` };
    if (ballast > 0) metadata.ballast = noise(ballast, n);
    return { id: `d${n}`, vector: [Math.cos(n), Math.sin(n), n / 1000], metadata };
  });
}

function noise(length, seed) {
  let state = seed + 1;
  let text = '';
  while (text.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += state.toString(36);
  }
  return text;
}

/** Everything in the IndexedDB database of a name: store -> keys. Values of `meta` too. */
async function stored(name) {
  const database = await new Promise((done, fail) => {
    const request = indexedDB.open(`kithdb:${name}`);
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
  const all = { version: database.version };
  const transaction = database.transaction([...database.objectStoreNames]);
  const result = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
  for (const store of database.objectStoreNames) {
    all[store] = await result(transaction.objectStore(store).getAllKeys());
  }
  all.values = await result(transaction.objectStore('meta').getAll());
  database.close();
  return all;
}

globalThis.kith = { ...kithdb, refused, documents, stored };
