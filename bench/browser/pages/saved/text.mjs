// Strings in IndexedDB, as an application keeps a serialised index, and the options that MiniSearch is read with.

/** What MiniSearch indexes; it keeps the gloss, so that its hits carry it as KithDB's carry theirs. */
export const OPTIONS = { fields: ['gloss'], storeFields: ['gloss'] };

/** Stores an engine's string, durably. */
export function put(engine, text) {
  return inStore('readwrite', (store) => store.put(text, engine));
}

/** Reads it. */
export function get(engine) {
  return inStore('readonly', (store) => store.get(engine));
}

async function inStore(mode, ask) {
  const opening = indexedDB.open('peers', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('strings');
  const database = await done(opening);
  const transaction = database.transaction('strings', mode, { durability: 'strict' });
  const request = ask(transaction.objectStore('strings'));
  await new Promise((complete, failed) => {
    transaction.oncomplete = complete;
    transaction.onabort = () => failed(transaction.error);
  });
  database.close();
  return request.result;
}

function done(request) {
  return new Promise((succeeded, failed) => {
    request.onsuccess = () => succeeded(request.result);
    request.onerror = () => failed(request.error);
  });
}
