// A stand-in for the engine in the tab: the interface of the npm package's browser entry, as far as the page uses it,
// over the same answers as the stand-in for the server. Keeps its collections in IndexedDB and takes the same lock.

import { Refusal, answerSearch } from './mock-search.mjs';

/** As the real one. */
export class KithError extends Error {
  constructor(report) {
    super(report.message);
    Object.assign(this, report);
  }
}

/** Opens the database of this name. */
export async function open(name, { embedder } = {}) {
  const release = await lock(name);
  const storage = await openStorage(name);
  return new Database(storage, release, embedder);
}

function lock(name) {
  return new Promise((taken, fail) => {
    navigator.locks.request(`mock:${name}`, { ifAvailable: true }, (held) => {
      if (held) return new Promise((release) => { taken(release); });
      return fail(new KithError({ code: 'database_locked', message: `database "${name}" is open elsewhere in this browser` }));
    });
  });
}

const done = (request) => new Promise((finish, fail) => {
  request.onsuccess = () => finish(request.result);
  request.onerror = () => fail(request.error);
});

function openStorage(name) {
  const request = indexedDB.open(`mock:${name}`, 1);
  request.onupgradeneeded = () => request.result.createObjectStore('collections');
  return done(request);
}

class Database {
  constructor(storage, release, embedder) {
    Object.assign(this, { storage, release, embedder });
  }

  store(mode) {
    return this.storage.transaction('collections', mode).objectStore('collections');
  }

  async read(name) {
    const kept = await done(this.store('readonly').get(name));
    if (!kept) throw new KithError({ code: 'unknown_collection', message: `collection "${name}" not found` });
    return kept;
  }

  async write(name, kept) {
    await done(this.store('readwrite').put(kept, name));
    return new Collection(this, name);
  }

  async create(name, { metric, dim = null, text, embedder = null, ...rest }) {
    if (embedder && embedder !== this.embedder?.name) {
      throw new KithError({ code: 'no_embedder', message: `no embedder available for collection "${name}"` });
    }
    const { language, fields } = text ?? { language: null, fields: null };
    const figures = { documents: 0, memtable: 0, segments: 0, indexed: 0, ended: 0 };
    return this.write(name, { info: { name, metric, dim, language, fields, embedder, ...rest, ...figures }, documents: [] });
  }

  async import(name, file) {
    const { info, documents } = JSON.parse(new TextDecoder().decode(file));
    return this.write(name, { info: { ...info, name, documents: documents.length }, documents });
  }

  collection(name) {
    return new Collection(this, name);
  }

  async collections() {
    return (await done(this.store('readonly').getAll())).map(({ info }) => info);
  }

  async drop(name) {
    await this.read(name);
    await done(this.store('readwrite').delete(name));
  }

  async flush() {}

  async close() {
    this.storage.close();
    this.release();
  }
}

class Collection {
  constructor(database, name) {
    Object.assign(this, { database, name });
  }

  async upsertMany(added) {
    const failing = added.find(({ metadata }) => metadata.fails);
    if (failing) throw new KithError({ code: failing.metadata.fails, message: 'the engine fails as it was asked to' });
    const { info, documents } = await this.database.read(this.name);
    const all = [...new Map([...documents, ...added].map((document) => [document.id, document])).values()];
    await this.database.write(this.name, { info: { ...info, documents: all.length, memtable: all.length }, documents: all });
  }

  async change(part) {
    const { info, documents } = await this.database.read(this.name);
    await this.database.write(this.name, { info: { ...info, ...part }, documents });
    return true;
  }

  seal() {
    return this.change({ memtable: 0, segments: 1 });
  }

  /** That of `vectors` takes until it is told to end. */
  async index() {
    if (this.name === 'vectors') {
      await new Promise((done) => { new BroadcastChannel('mock-index').onmessage = done; });
    }
    return this.change({ indexed: 1 });
  }

  async info() {
    return (await this.database.read(this.name)).info;
  }

  async search(request) {
    try {
      return answerSearch(await this.database.read(this.name), request);
    } catch (error) {
      throw error instanceof Refusal ? new KithError(error.report) : error;
    }
  }
}
