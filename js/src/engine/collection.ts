// A collection of any engine behind the interface: checks what is asked, and reads what is answered.

import { type EncodedDocuments, encodeDocuments, encodeIds, encodeOptions, encodeRequest } from '../encode.js';
import { invalidRequest, unsupported } from '../errors.js';
import type {
  AddOptions,
  CallOptions,
  ChangeOptions,
  Codes,
  CollectionInfo,
  CompressOptions,
  ConfigureOptions,
  Document,
  Estimate,
  EstimateRequest,
  Job,
  JsonObject,
  LoadOptions,
  NewDocument,
  NodeCollection,
  NodeGraph,
  Page,
  PageRequest,
  ReadOptions,
  ScanOptions,
  SearchRequest,
  SearchResult,
  Touch,
  Version,
  WatchOptions,
  WriteOptions,
  Written,
} from '../types.js';
import { attach, decodeDocuments, decodePage, decodeSearch, encodeSearch } from './answers.js';
import { type BackendCollection, type JobKind, call, jobsOf, wait } from './backend.js';
import { compress } from './compress.js';
import { type EmbedGiven, Embedding, type Fillable, isBare } from './embed.js';
import { EngineGraph } from './graph.js';
import { load } from './load.js';
import type { Source } from './until.js';
import { watched } from './watch.js';

/** Documents fetched at once by `documents()`. */
const PAGE = 500;

/** A collection over what an engine gives. */
export class EngineCollection<M extends object = JsonObject> implements NodeCollection<M> {
  readonly name: string;
  readonly graph: NodeGraph<M>;
  readonly #backend: BackendCollection;
  readonly #embedding: Embedding | undefined;

  constructor(name: string, backend: BackendCollection, embed?: EmbedGiven) {
    this.name = name;
    this.graph = new EngineGraph(backend);
    this.#backend = backend;
    this.#embedding = embed && new Embedding(embed, () => this.info());
  }

  add(document: NewDocument<M>, options?: WriteOptions): Promise<Written> {
    return this.#write([document], false, options);
  }

  addMany(documents: readonly NewDocument<M>[], options?: AddOptions): Promise<Written> {
    return this.#write(documents, false, options);
  }

  upsert(document: NewDocument<M>, options?: WriteOptions): Promise<Written> {
    return this.#write([document], true, options);
  }

  upsertMany(documents: readonly NewDocument<M>[], options?: AddOptions): Promise<Written> {
    return this.#write(documents, true, options);
  }

  async load(documents: Source<NewDocument<M>>, options: LoadOptions = {}): Promise<Written> {
    const { upsert, batch, ...rest } = options;
    const how = encodeOptions(rest);
    const embedding = this.#embedding;
    const fill = embedding && ((some: Fillable, signal?: AbortSignal) => embedding.fill(some, { signal }));
    return load(documents, options, fill, (batch, signal) => this.#put(batch, upsert === true, how, { signal }));
  }

  async #write(documents: readonly NewDocument<M>[], upsert: boolean, options?: AddOptions): Promise<Written> {
    const encoded = encodeDocuments(documents);
    const how = encodeOptions(options);
    return { written: encoded.ids.length, replaced: await this.#store(encoded, upsert, how, options) };
  }

  /** Stores documents once each has its vector, and answers how many were replaced. */
  #store(encoded: EncodedDocuments, upsert: boolean, how: string | undefined, options?: AddOptions): Promise<number> {
    const kept = { ...options };
    const put = () => this.#put(encoded, upsert, how, kept);
    // With nothing to wait for the engine has read what it is given when this returns.
    const filling = this.#embedding?.fill(encoded, kept);
    return filling ? filling.then(put) : put();
  }

  /** Stores documents as they are. */
  #put({ ids, vectors, metadata, lives }: EncodedDocuments, upsert: boolean, how: string | undefined, options: ChangeOptions): Promise<number> {
    return wait((call) => this.#backend.write(ids, vectors, metadata, lives, upsert, how, call), options);
  }

  addSync(document: NewDocument<M>, options?: WriteOptions): Written {
    return this.#writeSync([document], false, options);
  }

  addManySync(documents: readonly NewDocument<M>[], options?: AddOptions): Written {
    return this.#writeSync(documents, false, options);
  }

  upsertSync(document: NewDocument<M>, options?: WriteOptions): Written {
    return this.#writeSync([document], true, options);
  }

  upsertManySync(documents: readonly NewDocument<M>[], options?: AddOptions): Written {
    return this.#writeSync(documents, true, options);
  }

  #writeSync(documents: readonly NewDocument<M>[], upsert: boolean, options?: AddOptions): Written {
    const backend = this.#backend;
    if (!backend.writeSync) throw unsupported('a synchronous write');
    const { ids, vectors, metadata, lives } = encodeDocuments(documents);
    if (ids.some((_, i) => vectors[i] === undefined && metadata[i] !== undefined) && this.#mustWait()) {
      throw unsupported('a synchronous write of documents without a vector, which embed gives them,');
    }
    const how = encodeOptions(options);
    const replaced = call(() => backend.writeSync!(ids, vectors, metadata, lives, upsert, how));
    return { written: ids.length, replaced };
  }

  /** Whether what comes without a vector is embedded by a function. */
  #mustWait(): boolean {
    return this.#embedding?.isFor(this.infoSync()) ?? false;
  }

  deleteSync(ids: string | readonly string[], options?: WriteOptions): number {
    const backend = this.#backend;
    if (!backend.deleteSync) throw unsupported('deleteSync');
    const checked = encodeIds(typeof ids === 'string' ? [ids] : ids);
    return call(() => backend.deleteSync!(checked, encodeOptions(options)));
  }

  async delete(ids: string | readonly string[], options?: WriteOptions): Promise<number> {
    const checked = encodeIds(typeof ids === 'string' ? [ids] : ids);
    const how = encodeOptions(options);
    return await wait((call) => this.#backend.delete(checked, how, call), options);
  }

  async touch(ids: string | readonly string[], options?: WriteOptions): Promise<number> {
    const checked = encodeIds(typeof ids === 'string' ? [ids] : ids);
    const how = encodeOptions(options);
    return await wait((call) => this.#backend.touch(checked, how, call), options);
  }

  async touches(ids: readonly string[], options?: CallOptions): Promise<(Touch | null)[]> {
    const checked = encodeIds(ids);
    const answer = await wait((call) => this.#backend.touches(checked, call), options);
    return (JSON.parse(answer) as { touches: (Touch | null)[] }).touches;
  }

  async get(id: string, options?: ReadOptions): Promise<Document<M> | null> {
    const [document] = await this.getMany([id], options);
    return document ?? null;
  }

  async getMany(ids: readonly string[], options?: ReadOptions): Promise<(Document<M> | null)[]> {
    const checked = encodeIds(ids);
    const how = encodeOptions(options);
    const answer = await wait((call) => this.#backend.get(checked, how, call), options);
    return decodeDocuments<M>(answer);
  }

  async versions(id: string, options?: CallOptions): Promise<Version<M>[]> {
    const [checked] = encodeIds([id]);
    const answer = await wait((call) => this.#backend.versions(checked!, call), options);
    const versions = JSON.parse(answer.json) as Version<M>[];
    attach(answer, versions);
    return versions;
  }

  async search(request: SearchRequest<M>, options?: CallOptions): Promise<SearchResult<M>> {
    const searches = [encodeSearch(request)];
    // With nothing to wait for the engine has read what it is given when this returns.
    const asking = this.#embedding?.ask(searches, options);
    if (asking) await asking;
    const [json, vector] = searches[0]!;
    return decodeSearch<M>(await wait((call) => this.#backend.search(json, vector, call), options));
  }

  async searchMany(requests: readonly SearchRequest<M>[], options?: CallOptions): Promise<SearchResult<M>[]> {
    if (!Array.isArray(requests)) throw invalidRequest('an array of searches', requests);
    const searches = (requests as SearchRequest<M>[]).map(encodeSearch);
    const asking = this.#embedding?.ask(searches, options);
    if (asking) await asking;
    const [all, vectors] = [searches.map(([json]) => json), searches.map(([, vector]) => vector)];
    const answers = await wait((call) => this.#backend.searchMany(all, vectors, call), options);
    return answers.map((answer) => decodeSearch<M>(answer));
  }

  searchSync(request: SearchRequest<M>): SearchResult<M> {
    const backend = this.#backend;
    if (!backend.searchSync) throw unsupported('searchSync');
    if (isBare(request) && this.#mustWait()) throw unsupported('a synchronous search for a text that embed gives a vector');
    const [json, vector] = encodeSearch(request);
    return decodeSearch<M>(call(() => backend.searchSync!(json, vector)));
  }

  getSync(id: string, options?: ReadOptions): Document<M> | null {
    return this.getManySync([id], options)[0] ?? null;
  }

  getManySync(ids: readonly string[], options?: ReadOptions): (Document<M> | null)[] {
    const backend = this.#backend;
    if (!backend.getSync) throw unsupported('getSync');
    const checked = encodeIds(ids);
    return decodeDocuments<M>(call(() => backend.getSync!(checked, encodeOptions(options))));
  }

  async *scan({ signal, ...options }: ScanOptions = {}): AsyncIterableIterator<Document<M>> {
    let { cursor } = options;
    do {
      const page: Page<M> = await this.page({ ...options, limit: PAGE, cursor }, { signal });
      yield* page.documents;
      cursor = page.next;
    } while (cursor !== null);
  }

  async page(request?: PageRequest, options?: CallOptions): Promise<Page<M>> {
    const json = encodeRequest(request);
    return decodePage<M>(await wait((call) => this.#backend.scan(json, call), options));
  }

  pageSync(request?: PageRequest): Page<M> {
    const backend = this.#backend;
    if (!backend.scanSync) throw unsupported('pageSync');
    const json = encodeRequest(request);
    return decodePage<M>(call(() => backend.scanSync!(json)));
  }

  seal(options?: WatchOptions): Promise<boolean> {
    return this.#run('seal', options);
  }

  index(options?: WatchOptions): Promise<boolean> {
    return this.#run('index', options);
  }

  merge(options?: WatchOptions): Promise<boolean> {
    return this.#run('merge', options);
  }

  optimize(options?: WatchOptions): Promise<boolean> {
    return this.#run('optimize', options);
  }

  vacuum(options?: WatchOptions): Promise<boolean> {
    return this.#run('vacuum', options);
  }

  recode(options?: WatchOptions): Promise<boolean> {
    return this.#run('recode', options);
  }

  refine(options?: WatchOptions): Promise<boolean> {
    return this.#run('refine', options);
  }

  #run(kind: JobKind, options?: WatchOptions): Promise<boolean> {
    const asked = () => wait(() => this.#backend.run(kind, { signal: options?.signal }));
    return watched(this, kind, kind, asked, options);
  }

  compress(codes: Codes, options?: CompressOptions): Promise<void> {
    return compress(this, codes, options);
  }

  job(options?: CallOptions): Promise<Job | null> {
    return jobsOf(this.#backend).job(options);
  }

  cancelJob(options?: CallOptions): Promise<boolean> {
    return jobsOf(this.#backend).cancelJob(options);
  }

  async estimate(request?: EstimateRequest, options?: CallOptions): Promise<Estimate> {
    const json = encodeRequest(request);
    return JSON.parse(await wait((call) => this.#backend.estimate(json, call), options)) as Estimate;
  }

  async configure(change: ConfigureOptions): Promise<void> {
    const json = encodeOptions(change) ?? '{}';
    await wait((call) => this.#backend.configure(json, call), change);
  }

  export(options?: CallOptions): Promise<Uint8Array> {
    return wait((call) => this.#backend.export(call), options);
  }

  exportStream(options?: CallOptions): Promise<ReadableStream<Uint8Array>> {
    return wait(async (call) => {
      const stream = this.#backend.exportStream?.(call);
      return stream ?? new Blob([(await this.#backend.export(call)) as BlobPart]).stream();
    }, options);
  }

  infoSync(): CollectionInfo {
    const backend = this.#backend;
    if (!backend.infoSync) throw unsupported('infoSync');
    return JSON.parse(call(() => backend.infoSync!())) as CollectionInfo;
  }

  async info(options?: CallOptions): Promise<CollectionInfo> {
    return JSON.parse(await wait((call) => this.#backend.info(call), options)) as CollectionInfo;
  }
}
