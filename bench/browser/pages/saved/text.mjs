// One string in IndexedDB, as an application keeps a serialised MiniSearch, and the options it is read with.

/** What MiniSearch indexes; it keeps the gloss, so that its hits carry it as KithDB's carry theirs. */
export const OPTIONS = { fields: ['gloss'], storeFields: ['gloss'] };

/** Stores it, durably. */
export function put(text) {
  return inStore('readwrite', (store) => store.put(text, 'index'));
}

/** Reads it. */
export function get() {
  return inStore('readonly', (store) => store.get('index'));
}

async function inStore(mode, ask) {
  const opening = indexedDB.open('minisearch', 1);
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
