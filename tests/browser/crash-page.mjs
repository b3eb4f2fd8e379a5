// The page of the crash tests: writes without end and tells what was acknowledged; finds what should be there.

import { open } from '/kithdb/browser.js';

/** `/?opfs` for a database in the origin private file system. */
const options = location.search === '?opfs' ? { worker: true, storage: 'opfs' } : {};

const random = (n) => Math.floor(Math.random() * n);

/** The lock of a page that was killed is let go a moment later. */
async function opened() {
  for (;;) {
    try {
      return await open('crash', options);
    } catch (error) {
      if (error.code !== 'database_locked') throw error;
      await new Promise((again) => setTimeout(again, 20));
    }
  }
}

/** Several writers and a job runner, until the end of this page. */
globalThis.writeWithoutEnd = async (round) => {
  const database = await opened();
  const collection = await database.create('c', { text: {} }).catch(() => database.collection('c'));
  const writer = async (name) => {
    for (let i = 0; ; i += 1) {
      const ids = Array.from({ length: 1 + random(4) }, (_, j) => `${round}-${name}-${i}-${j}`);
      const documents = ids.map((id) => ({ id, vector: [random(9), random(9), 1], metadata: { text: `words of ${id}` } }));
      await collection.addMany(documents, { durability: random(2) ? 'always' : 'everysec' });
      globalThis.acknowledged(ids);
      if (random(5) === 0) {
        await collection.delete(ids[0]);
        // Heard before the next one is begun, so that at most one of each writer is not told of.
        await globalThis.deleted(ids[0]);
      }
    }
  };
  const jobs = async () => {
    for (;;) {
      await new Promise((go) => setTimeout(go, random(40)));
      await collection[['seal', 'index', 'merge', 'optimize'][random(4)]]();
    }
  };
  await Promise.all([writer('a'), writer('b'), jobs()]);
};

/** Makes a collection in files of its own; answers which there were before. */
globalThis.make = async (name) => {
  const database = await opened();
  const names = (await database.collections()).map((info) => info.name);
  await (await database.create(name)).add({ id: 'x' }, { durability: 'always' });
  return names;
};

/** What is missing of `there` and what is left of `gone`; and how many documents there are by counting and by scanning. */
globalThis.check = async (there, gone) => {
  const database = await opened();
  const collection = database.collection('c');
  const found = async (ids) => {
    const present = [];
    for (let at = 0; at < ids.length; at += 1000) {
      const documents = await collection.getMany(ids.slice(at, at + 1000));
      present.push(...documents.filter(Boolean).map((document) => document.id));
    }
    return new Set(present);
  };
  const [living, dead] = [await found(there), await found(gone)];
  let scanned = 0;
  for await (const document of collection.scan()) {
    if (document.metadata.text !== `words of ${document.id}`) throw new Error(`damaged: ${document.id}`);
    scanned += 1;
  }
  const { documents } = await collection.info();
  await database.close();
  return { missing: there.filter((id) => !living.has(id)), left: [...dead], documents, scanned };
};

globalThis.isReady = true;
