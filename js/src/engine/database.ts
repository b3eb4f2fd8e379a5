// A database of any engine behind the interface: checks what is asked, and reads what is answered.

import { encodeRequest, encodeString } from '../encode.js';
import { invalidRequest } from '../errors.js';
import type { Collection, CollectionConfig, CollectionInfo, Database, JsonObject, KeyValueStore } from '../types.js';
import { type BackendDatabase, call, wait } from './backend.js';
import { EngineCollection } from './collection.js';
import { EngineKeyValueStore } from './kv.js';

/** A database over what an engine gives. */
export class EngineDatabase implements Database {
  readonly kv: KeyValueStore;
  readonly #backend: BackendDatabase;

  constructor(backend: BackendDatabase) {
    this.kv = new EngineKeyValueStore(backend);
    this.#backend = backend;
  }

  async create<M extends object = JsonObject>(name: string, config?: CollectionConfig): Promise<Collection<M>> {
    const [checked, request] = [encodeString('a name', name), encodeRequest(config)];
    return new EngineCollection<M>(checked, await wait(() => this.#backend.create(checked, request)));
  }

  collection<M extends object = JsonObject>(name: string): Collection<M> {
    const checked = encodeString('a name', name);
    return new EngineCollection<M>(checked, call(() => this.#backend.collection(checked)));
  }

  async collections(): Promise<CollectionInfo[]> {
    return JSON.parse(await wait(() => this.#backend.collections())) as CollectionInfo[];
  }

  async drop(name: string): Promise<void> {
    const checked = encodeString('a name', name);
    await wait(() => this.#backend.drop(checked));
  }

  async import<M extends object = JsonObject>(name: string, file: Uint8Array): Promise<Collection<M>> {
    const checked = encodeString('a name', name);
    if (!(file instanceof Uint8Array)) throw invalidRequest('a file that is a Uint8Array', file);
    return new EngineCollection<M>(checked, await wait(() => this.#backend.import(checked, file)));
  }

  async flush(): Promise<void> {
    await wait(() => this.#backend.flush());
  }

  async close(): Promise<void> {
    await wait(() => this.#backend.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.dispose](): void {
    call(() => this.#backend.closeSync());
  }
}
