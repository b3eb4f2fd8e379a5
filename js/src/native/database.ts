// The native engine: a database in a directory or in memory.

import { encodeRequest, encodeString } from '../encode.js';
import { invalidRequest } from '../errors.js';
import type { Collection, CollectionConfig, CollectionInfo, Database, JsonObject, OpenOptions } from '../types.js';
import { type NativeDatabase, addon, call, wait } from './addon.js';
import { NativeEngineCollection } from './collection.js';

/** Opens a database; undefined for one in memory. */
export async function openNative(path: string | undefined, options: OpenOptions | undefined): Promise<Database> {
  const request = encodeRequest({ ...options, path });
  return new NativeEngineDatabase(await wait(() => addon().NativeDatabase.open(request)));
}

class NativeEngineDatabase implements Database {
  readonly #native: NativeDatabase;

  constructor(native: NativeDatabase) {
    this.#native = native;
  }

  async create<M extends object = JsonObject>(name: string, config?: CollectionConfig): Promise<Collection<M>> {
    const [checked, request] = [encodeString('a name', name), encodeRequest(config)];
    return new NativeEngineCollection<M>(checked, await wait(() => this.#native.create(checked, request)));
  }

  collection<M extends object = JsonObject>(name: string): Collection<M> {
    const checked = encodeString('a name', name);
    return new NativeEngineCollection<M>(checked, call(() => this.#native.collection(checked)));
  }

  async collections(): Promise<CollectionInfo[]> {
    return JSON.parse(await wait(() => this.#native.collections())) as CollectionInfo[];
  }

  async drop(name: string): Promise<void> {
    const checked = encodeString('a name', name);
    await wait(() => this.#native.drop(checked));
  }

  async import<M extends object = JsonObject>(name: string, file: Uint8Array): Promise<Collection<M>> {
    const checked = encodeString('a name', name);
    if (!(file instanceof Uint8Array)) throw invalidRequest('a file that is a Uint8Array', file);
    return new NativeEngineCollection<M>(checked, await wait(() => this.#native.import(checked, file)));
  }

  async flush(): Promise<void> {
    await wait(() => this.#native.flush());
  }

  async close(): Promise<void> {
    await wait(() => this.#native.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.dispose](): void {
    call(() => this.#native.closeSync());
  }
}
