// The key-value store of any engine behind the interface: checks what is asked, and reads what is answered.

import { encodeKey, encodeRequest, encodeText } from '../encode.js';
import type { KeysPage, KeysRequest, KeyValueStore, WriteOptions } from '../types.js';
import { type BackendDatabase, wait } from './backend.js';

/** A key-value store over what an engine gives. */
export class EngineKeyValueStore implements KeyValueStore {
  readonly #backend: BackendDatabase;

  constructor(backend: BackendDatabase) {
    this.#backend = backend;
  }

  async get(key: string): Promise<string | null> {
    const checked = encodeKey(key);
    return (await wait(() => this.#backend.kvGet(checked))) ?? null;
  }

  async set(key: string, value: string, options?: WriteOptions): Promise<boolean> {
    const [checked, text] = [encodeKey(key), encodeText('a value', value)];
    const how = options && encodeRequest(options);
    return await wait(() => this.#backend.kvSet(checked, text, how));
  }

  async delete(key: string, options?: WriteOptions): Promise<boolean> {
    const checked = encodeKey(key);
    const how = options && encodeRequest(options);
    return await wait(() => this.#backend.kvDelete(checked, how));
  }

  async list(request?: KeysRequest): Promise<KeysPage> {
    const json = encodeRequest(request);
    return JSON.parse(await wait(() => this.#backend.kvList(json))) as KeysPage;
  }
}
