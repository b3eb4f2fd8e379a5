// A Worker that adds a document, and answers how many there were before.

import { open } from '/kithdb/browser.js';

const db = await open('films');
const names = (await db.collections()).map(({ name }) => name);
const collection = names.length === 0 ? await db.create('a') : db.collection('a');
const { documents } = await collection.info();
await collection.add({ id: `d${documents}` });
postMessage(documents);
