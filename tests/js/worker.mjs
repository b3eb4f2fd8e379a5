// A thread of its own that uses the addon: opens what is locked, searches once, or works until it is ended.

import { parentPort, workerData } from 'node:worker_threads';

import { open, openMemory } from 'kithdb';

if (workerData.path) {
  try {
    await open(workerData.path);
    parentPort.postMessage({ code: 'opened' });
  } catch (error) {
    parentPort.postMessage({ code: error.code });
  }
} else {
  const db = await openMemory();
  const collection = await db.create('a');
  const documents = Array.from({ length: 500 }, (_, i) => ({ id: `d${i}`, vector: [1, i] }));
  await collection.addMany(documents);
  const { hits } = collection.searchSync({ vector: [1, 0], k: 1 });
  parentPort.postMessage({ hits: hits.map((hit) => hit.id) });
  while (workerData.busy) {
    await Promise.all([collection.search({ vector: [1, 0] }), collection.upsertMany(documents), collection.seal()]);
  }
  await db.close();
}
