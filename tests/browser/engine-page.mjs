// What the tests of the browser engine call inside a page: `globalThis.kith`.

import * as kithdb from '/kithdb/browser.js';

/** The code of what `work` fails with. */
async function refused(work) {
  try {
    await work();
  } catch (error) {
    return codeOf(error);
  }
  return 'nothing was thrown';
}

/** The code of what a call is refused with, and of the error that led to it. */
async function why(work) {
  try {
    await work();
  } catch (error) {
    return error.cause === undefined ? codeOf(error) : `${codeOf(error)} by ${codeOf(error.cause)}`;
  }
  return 'nothing was thrown';
}

const codeOf = (error) => (error instanceof kithdb.KithError ? error.code : `not a KithError: ${error}`);

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

/** Flips a bit of the first piece of the first rows blob of a database; the number of that blob. */
async function flipped(name) {
  const database = await new Promise((done) => (indexedDB.open(`kithdb:${name}`).onsuccess = ({ target }) => done(target.result)));
  const pieces = database.transaction('pieces', 'readwrite').objectStore('pieces');
  const result = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
  const key = (await result(pieces.getAllKeys())).find(([, , type]) => type === ROWS);
  const bytes = await result(pieces.get(key));
  bytes[bytes.length >> 1] ^= 1;
  await result(pieces.put(bytes, key));
  database.close();
  return key[1];
}

/** The number of the kind of blobs that hold rows (docs/FORMAT.md). */
const ROWS = 1;

globalThis.kith = { ...kithdb, refused, why, documents, stored, flipped };
