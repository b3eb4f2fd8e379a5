// KithDB as a vector store of LangChain.js: copy this file into a project that has `kithdb` and `@langchain/core`.
//
// A document is kept with its text under `text` and its metadata under `metadata`, so that filters name fields as
// `metadata.year`. With `hybrid: true` searches compare words, too.

import { randomUUID } from 'node:crypto';

import { Document } from '@langchain/core/documents';
import { VectorStore } from '@langchain/core/vectorstores';

export class KithVectorStore extends VectorStore {
  #collection;
  #hybrid;

  /** A store over a collection of any engine, made as `KithVectorStore.create` makes it. */
  constructor(embeddings, { collection, hybrid = false }) {
    super(embeddings, {});
    this.#collection = collection;
    this.#hybrid = hybrid;
  }

  /** A store over the collection of this name, which is made when it is not there. */
  static async create(embeddings, { db, name, config = {}, ...rest }) {
    const names = (await db.collections()).map((collection) => collection.name);
    const made = { metric: 'cosine', text: { fields: ['text'] }, ...config };
    const collection = names.includes(name) ? db.collection(name) : await db.create(name, made);
    return new KithVectorStore(embeddings, { collection, ...rest });
  }

  static async fromTexts(texts, metadatas, embeddings, config) {
    const of = (i) => (Array.isArray(metadatas) ? metadatas[i] : metadatas);
    const documents = texts.map((pageContent, i) => new Document({ pageContent, metadata: of(i) }));
    return KithVectorStore.fromDocuments(documents, embeddings, config);
  }

  static async fromDocuments(documents, embeddings, config) {
    const store = await KithVectorStore.create(embeddings, config);
    await store.addDocuments(documents);
    return store;
  }

  _vectorstoreType() {
    return 'kithdb';
  }

  /** Stores documents in place of those with their ids, and answers the ids. */
  async addDocuments(documents, options) {
    const vectors = await this.embeddings.embedDocuments(documents.map(({ pageContent }) => pageContent));
    return this.addVectors(vectors, documents, options);
  }

  async addVectors(vectors, documents, { ids = [] } = {}) {
    const stored = documents.map(({ id, pageContent, metadata }, i) => ({
      id: ids[i] ?? id ?? randomUUID(),
      vector: vectors[i],
      metadata: { text: pageContent, metadata },
    }));
    // Of two with one id the later is the one that stays.
    const last = new Map(stored.map((document) => [document.id, document]));
    await this.#collection.load(last.values(), { upsert: true });
    return stored.map(({ id }) => id);
  }

  /** Documents by their ids; those that are not there are left out. */
  async getByIds(ids) {
    const found = await this.#collection.getMany(ids);
    return found.filter((document) => document !== null).map(toDocument);
  }

  /** Deletes documents by their ids, or all that a filter accepts. */
  async delete({ ids, filter } = {}) {
    if (ids) await this.#collection.delete(ids);
    if (!filter) return;
    for (;;) {
      const { hits } = await this.#collection.search({ filter, k: 1000 });
      if (hits.length === 0) return;
      await this.#collection.delete(hits.map(({ id }) => id));
    }
  }

  async similaritySearchVectorWithScore(vector, k, filter) {
    return this.#search({ vector, k, filter });
  }

  async similaritySearch(query, k = 4, filter = undefined) {
    return (await this.similaritySearchWithScore(query, k, filter)).map(([document]) => document);
  }

  async similaritySearchWithScore(query, k = 4, filter = undefined) {
    const vector = await this.embeddings.embedQuery(query);
    return this.#search({ vector, k, filter, ...(this.#hybrid ? { text: query, plain: true } : {}) });
  }

  async #search(request) {
    const { hits } = await this.#collection.search(request);
    return hits.map((hit) => [toDocument(hit), hit.score]);
  }
}

function toDocument({ id, metadata }) {
  return new Document({ id, pageContent: metadata.text, metadata: metadata.metadata });
}
