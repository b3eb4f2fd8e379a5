// The key-value store of any engine behind the interface: checks what is asked, and reads what is answered.

import { encodeKey, encodeOptions, encodeRequest, encodeText } from '../encode.js';
import type { CallOptions, KeysPage, KeysRequest, KeyValueStore, WriteOptions } from '../types.js';
import { type BackendDatabase, wait } from './backend.js';

/** A key-value store over what an engine gives. */
export class EngineKeyValueStore implements KeyValueStore {
  readonly #backend: BackendDatabase;

  constructor(backend: BackendDatabase) {
    this.#backend = backend;
  }

  async get(key: string, options?: CallOptions): Promise<string | null> {
    const checked = encodeKey(key);
    return (await wait((call) => this.#backend.kvGet(checked, call), options)) ?? null;
  }

  async set(key: string, value: string, options?: WriteOptions): Promise<boolean> {
    const [checked, text] = [encodeKey(key), encodeText('a value', value)];
    const how = encodeOptions(options);
    return await wait((call) => this.#backend.kvSet(checked, text, how, call), options);
  }

  async delete(key: string, options?: WriteOptions): Promise<boolean> {
    const checked = encodeKey(key);
    const how = encodeOptions(options);
    return await wait((call) => this.#backend.kvDelete(checked, how, call), options);
  }

  async list(request?: KeysRequest, options?: CallOptions): Promise<KeysPage> {
    const json = encodeRequest(request);
    return JSON.parse(await wait((call) => this.#backend.kvList(json, call), options)) as KeysPage;
  }
}
