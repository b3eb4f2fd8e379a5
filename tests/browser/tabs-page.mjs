// The page of the tests of several tabs: `globalThis.tab` shares a database with the other pages, and knows what it is.

import { KithError, open } from '/kithdb/browser.js';
import { PATIENCE } from '/kithdb/tabs/names.js';

/**
 * Looks after the writer often, and takes it for gone when it says nothing for a second: ten are for users. A busy machine may
 * need as long where nothing is wrong, so that who only wants to look often is patient.
 */
function hurry(isPatient = false) {
  PATIENCE.ms = 150;
  PATIENCE.looks = isPatient ? 400 : 5;
}

const me = `page-${crypto.randomUUID()}`;
navigator.locks.request(me, () => new Promise(() => {}));

const random = (n) => Math.floor(Math.random() * n);

/** The code of what `work` fails with. */
async function refused(work) {
  try {
    await work();
  } catch (error) {
    return error instanceof KithError ? error.code : `not a KithError: ${error}`;
  }
  return 'nothing was thrown';
}

async function isWriter() {
  const { held } = await navigator.locks.query();
  const client = (name) => held.find((lock) => lock.name === name)?.clientId;
  return client('kithdb:films:writer') === client(me);
}

/** Opens the database that all pages share, and its collection. */
async function join(options) {
  const db = await open('films', { shared: true, ...options });
  return { db, collection: await made(db) };
}

/** The collection that all pages share, which the first of them makes. */
async function made(db) {
  for (;;) {
    try {
      return await db.create('a', { text: {} });
    } catch (error) {
      if (error.code === 'collection_exists') return db.collection('a');
      // Who hurries may take the place of a writer that is making it.
      if (error.code !== 'outcome_unknown') throw error;
    }
  }
}

/**
 * Writes, deletes and reads until `isOver` is set. Tells what was acknowledged, what is being deleted and what was, writes
 * whose outcome is unknown, and whatever else goes wrong.
 */
async function work(name, collection) {
  const own = [];
  const wrong = (what) => (error) => globalThis.tell('wrong', [`${name}: ${what}: ${error.code} ${error.message ?? error}`]);
  const tried = async (what, ids, write) => {
    try {
      await write();
      // Heard before anything else is written, so that a page that ends has one batch at the most that nobody was told of.
      await globalThis.tell(what, ids);
      return true;
    } catch (error) {
      if (error.code === 'outcome_unknown') await globalThis.tell('unknown', ids);
      else wrong(what)(error);
      return false;
    }
  };
  const checked = (id) => (document) => {
    if (document?.metadata.text !== `words of ${id}`) throw new Error(`${id} is not there`);
  };
  for (let i = 0; !globalThis.isOver; i += 1) {
    const ids = Array.from({ length: 1 + random(3) }, (_, j) => `${name}-${i}-${j}`);
    const documents = ids.map((id) => ({ id, vector: [random(9), random(9), 1], metadata: { text: `words of ${id}` } }));
    const durability = random(4) === 0 ? 'always' : 'everysec';
    if (await tried('acknowledged', ids, () => collection.addMany(documents, { durability }))) own.push(ids[0]);
    if (own.length === 0) continue;
    const id = own[random(own.length)];
    await collection.get(id).then(checked(id)).catch(wrong('get'));
    if (random(6) === 0) {
      const [gone] = own.splice(random(own.length), 1);
      await globalThis.tell('deleting', [gone]);
      await tried('deleted', [gone], () => collection.delete(gone));
    }
    if (random(20) === 0) await collection[['seal', 'merge'][random(2)]]().catch(wrong('a job'));
  }
}

/** All documents by a scan, each as it was written, and how many there are said to be. */
async function everything(collection) {
  const ids = [];
  for await (const { id, metadata } of collection.scan()) {
    if (metadata.text !== `words of ${id}`) throw new Error(`damaged: ${id}`);
    ids.push(id);
  }
  return { ids, documents: (await collection.info()).documents };
}

/** Whether a read is answered by this tab's own copy: without a message. */
async function readsAlone(collection) {
  const { prototype } = BroadcastChannel;
  const { postMessage } = prototype;
  let posted = 0;
  prototype.postMessage = function (message) {
    posted += 1;
    postMessage.call(this, message);
  };
  try {
    await collection.scan({ limit: 1 })[Symbol.asyncIterator]().next();
  } finally {
    prototype.postMessage = postMessage;
  }
  return posted === 0;
}

/**
 * Nothing is left to be stored. A page that is stopped between beginning a transaction and asking for something in it keeps all
 * others from the database for as long: Chromium breaks off only what was begun with a request.
 */
async function settled({ db }) {
  await db.flush();
}

/** Resolves once this page alone can write to the store, for so long. */
async function keepBusy(ms) {
  const database = await new Promise((done) => { indexedDB.open('kithdb:films').onsuccess = ({ target }) => done(target.result); });
  const store = database.transaction(['meta'], 'readwrite').objectStore('meta');
  const end = performance.now() + ms;
  await new Promise((done) => {
    const again = () => {
      done();
      if (performance.now() < end) store.get('epoch').onsuccess = again;
      else database.close();
    };
    store.get('epoch').onsuccess = again;
  });
}

globalThis.tab = { KithError, hurry, open, refused, isWriter, join, work, everything, readsAlone, settled, keepBusy };
