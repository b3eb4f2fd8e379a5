// A Worker that adds a document, and answers how many there were before. `?threads=N` asks for so many threads.

import { open } from '/kithdb/browser.js';

const threads = Number(new URL(import.meta.url).searchParams.get('threads'));
const db = await open('films', { threads });
const names = (await db.collections()).map(({ name }) => name);
const collection = names.length === 0 ? await db.create('a') : db.collection('a');
const { documents } = await collection.info();
await collection.add({ id: `d${documents}`, vector: [documents, 1] });
await collection.seal();
const isIndexed = await collection.index();
const { hits } = await collection.search({ vector: [0, 1], k: 1 });
const loaded = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname);
postMessage({ documents, isIndexed, nearest: hits[0].id, modules: loaded.filter((path) => path.endsWith('.wasm')) });
