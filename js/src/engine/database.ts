// A database of any engine behind the interface: checks what is asked, and reads what is answered.

import { encodeRequest, encodeString } from '../encode.js';
import { invalidRequest, unsupported } from '../errors.js';
import type {
  CallOptions,
  ChangeOptions,
  CollectionConfig,
  CollectionInfo,
  CollectionOptions,
  CollectionStats,
  CreateOptions,
  Embed,
  EngineMemory,
  ImportOptions,
  JsonObject,
  NodeCollection,
  NodeDatabase,
  NodeKeyValueStore,
  Verified,
  VerifyOptions,
} from '../types.js';
import { type BackendDatabase, call, wait } from './backend.js';
import { EngineCollection } from './collection.js';
import { type EmbedGiven, checkEmbed } from './embed.js';
import { EngineKeyValueStore } from './kv.js';
import { until } from './until.js';

/** A database over what an engine gives. */
export class EngineDatabase implements NodeDatabase {
  readonly kv: NodeKeyValueStore;
  readonly #backend: BackendDatabase;
  readonly #embed: Embed | undefined;

  /** `embed` is for collections that name no other. */
  constructor(backend: BackendDatabase, embed?: Embed) {
    this.kv = new EngineKeyValueStore(backend);
    this.#backend = backend;
    this.#embed = embed;
  }

  /** The function that embeds what comes without a vector. */
  #embedOf(options: CollectionOptions | undefined): EmbedGiven | undefined {
    const isOfDatabase = options?.embed === undefined;
    const embed = isOfDatabase ? this.#embed : checkEmbed(options.embed);
    return embed && { embed, isOfDatabase };
  }

  async create<M extends object = JsonObject>(
    name: string,
    config?: CollectionConfig,
    options?: CreateOptions,
  ): Promise<NodeCollection<M>> {
    const [checked, request] = [encodeString('a name', name), encodeRequest(config)];
    const embed = this.#embedOf(options);
    return new EngineCollection<M>(checked, await wait((call) => this.#backend.create(checked, request, call), options), embed);
  }

  collection<M extends object = JsonObject>(name: string, options?: CollectionOptions): NodeCollection<M> {
    const checked = encodeString('a name', name);
    const embed = this.#embedOf(options);
    return new EngineCollection<M>(checked, call(() => this.#backend.collection(checked)), embed);
  }

  async collections(options?: CallOptions): Promise<CollectionInfo[]> {
    return JSON.parse(await wait((call) => this.#backend.collections(call), options)) as CollectionInfo[];
  }

  async drop(name: string, options?: ChangeOptions): Promise<void> {
    const checked = encodeString('a name', name);
    await wait((call) => this.#backend.drop(checked, call), options);
  }

  async import<M extends object = JsonObject>(
    name: string,
    file: Uint8Array | Blob | ReadableStream<Uint8Array>,
    options?: ImportOptions,
  ): Promise<NodeCollection<M>> {
    const checked = encodeString('a name', name);
    const embed = this.#embedOf(options);
    // Bytes that are there have been read when this returns.
    const bytes = file instanceof Uint8Array ? file : await bytesOf(file, options);
    if (bytes === file) options?.onProgress?.({ done: bytes.length, total: bytes.length });
    return new EngineCollection<M>(checked, await wait((call) => this.#backend.import(checked, bytes, call), options), embed);
  }

  async stats(options?: CallOptions): Promise<CollectionStats[]> {
    const json = await wait((call) => this.#backend.stats(call), options);
    return (JSON.parse(json) as { collections: CollectionStats[] }).collections;
  }

  async verify(options?: VerifyOptions): Promise<Verified> {
    // What the caller's function throws comes back to it as it is.
    let own: { error: unknown } | undefined;
    const onProgress = options?.onProgress;
    const progress = onProgress && ((done: number, total: number) => {
      try {
        onProgress({ done, total });
      } catch (error) {
        own = { error };
        throw error;
      }
    });
    try {
      return JSON.parse(await wait((call) => this.#backend.verify({ ...call, progress }), options)) as Verified;
    } catch (error) {
      throw own ? own.error : error;
    }
  }

  async memory(options?: CallOptions): Promise<EngineMemory> {
    const backend = this.#backend;
    if (!backend.memory) throw unsupported('memory', 'ask the process: process.memoryUsage() in Node, GET /metrics of a server');
    return { bytes: await wait((call) => backend.memory!(call), options) };
  }

  async flush(options?: CallOptions): Promise<void> {
    await wait((call) => this.#backend.flush(call), options);
  }

  async close(): Promise<void> {
    await wait(() => this.#backend.close());
  }

  createSync<M extends object = JsonObject>(
    name: string,
    config?: CollectionConfig,
    options?: CollectionOptions,
  ): NodeCollection<M> {
    const [checked, request] = [encodeString('a name', name), encodeRequest(config)];
    const embed = this.#embedOf(options);
    const backend = this.#backend;
    if (!backend.createSync) throw unsupported('createSync');
    return new EngineCollection<M>(checked, call(() => backend.createSync!(checked, request)), embed);
  }

  collectionsSync(): CollectionInfo[] {
    const backend = this.#backend;
    if (!backend.collectionsSync) throw unsupported('collectionsSync');
    return JSON.parse(call(() => backend.collectionsSync!())) as CollectionInfo[];
  }

  dropSync(name: string): void {
    const checked = encodeString('a name', name);
    const backend = this.#backend;
    if (!backend.dropSync) throw unsupported('dropSync');
    call(() => backend.dropSync!(checked));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.dispose](): void {
    call(() => this.#backend.closeSync());
  }
}

/** All of a file: no engine can begin with a piece of it. */
async function bytesOf(file: unknown, { signal, onProgress }: ImportOptions = {}): Promise<Uint8Array> {
  const isStream = typeof ReadableStream !== 'undefined' && file instanceof ReadableStream;
  const isBlob = typeof Blob !== 'undefined' && file instanceof Blob;
  if (!isStream && !isBlob) throw invalidRequest('a file that is a Uint8Array, a Blob or a ReadableStream', file);
  const [stream, total]: [ReadableStream<unknown>, number | null] = isBlob ? [file.stream(), file.size] : [file as ReadableStream, null];
  const pieces: Uint8Array[] = [];
  let done = 0;
  for await (const piece of until(signal, stream)) {
    if (!(piece instanceof Uint8Array)) throw invalidRequest('a stream of Uint8Arrays', piece);
    pieces.push(piece);
    done += piece.length;
    onProgress?.({ done, total });
  }
  return joined(pieces, done);
}

function joined(pieces: Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
