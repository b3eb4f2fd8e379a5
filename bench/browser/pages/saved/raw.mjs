// Every record of the database that kith-rows.mjs opens, read from IndexedDB and no more: all of a store by one request, which took no
// longer than one request of each record, all at once.

/** Answers a request. */
const done = (request) => new Promise((succeeded, failed) => {
  request.onsuccess = () => succeeded(request.result);
  request.onerror = () => failed(request.error);
});

const bytesOf = (record) => (ArrayBuffer.isView(record) ? record.byteLength : 0);

export default async () => {
  const start = performance.now();
  const database = await done(indexedDB.open('kithdb:bench-rows'));
  const stores = [...database.objectStoreNames];
  const transaction = database.transaction(stores, 'readonly');
  const records = (await Promise.all(stores.map((name) => done(transaction.objectStore(name).getAll())))).flat();
  const end = performance.now();
  const bytes = records.map(bytesOf).reduce((a, b) => a + b, 0);
  database.close();
  return { hits: records.length, start, end, bytes };
};
