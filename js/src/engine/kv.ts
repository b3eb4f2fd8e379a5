// The key-value store of any engine behind the interface: checks what is asked, and reads what is answered.

import { encodeKey, encodeOptions, encodeRequest, encodeText } from '../encode.js';
import { unsupported } from '../errors.js';
import type { CallOptions, KeysPage, KeysRequest, NodeKeyValueStore, WriteOptions } from '../types.js';
import { type BackendDatabase, call, wait } from './backend.js';

/** A key-value store over what an engine gives. */
export class EngineKeyValueStore implements NodeKeyValueStore {
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

  getSync(key: string): string | null {
    const checked = encodeKey(key);
    const backend = this.#backend;
    if (!backend.kvGetSync) throw unsupported('kv.getSync');
    return call(() => backend.kvGetSync!(checked)) ?? null;
  }

  setSync(key: string, value: string, options?: WriteOptions): boolean {
    const [checked, text] = [encodeKey(key), encodeText('a value', value)];
    const backend = this.#backend;
    if (!backend.kvSetSync) throw unsupported('kv.setSync');
    return call(() => backend.kvSetSync!(checked, text, encodeOptions(options)));
  }

  deleteSync(key: string, options?: WriteOptions): boolean {
    const checked = encodeKey(key);
    const backend = this.#backend;
    if (!backend.kvDeleteSync) throw unsupported('kv.deleteSync');
    return call(() => backend.kvDeleteSync!(checked, encodeOptions(options)));
  }

  listSync(request?: KeysRequest): KeysPage {
    const json = encodeRequest(request);
    const backend = this.#backend;
    if (!backend.kvListSync) throw unsupported('kv.listSync');
    return JSON.parse(call(() => backend.kvListSync!(json))) as KeysPage;
  }
}
