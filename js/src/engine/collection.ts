// A collection of any engine behind the interface: checks what is asked, and reads what is answered.

import { encodeDocuments, encodeIds, encodeOptionalVector, encodeRequest } from '../encode.js';
import { invalidRequest } from '../errors.js';
import type {
  AddOptions,
  Codes,
  Collection,
  CollectionInfo,
  CompressOptions,
  ConfigureOptions,
  Connections,
  Document,
  Estimate,
  EstimateRequest,
  Explanation,
  Facet,
  FilterPlan,
  Graph,
  Highlight,
  Hit,
  Job,
  JsonObject,
  NewDocument,
  Page,
  PartTrace,
  ReadOptions,
  ScanRequest,
  SearchRequest,
  SearchResult,
  Touch,
  Version,
  WriteOptions,
  Written,
} from '../types.js';
import { type Answer, type BackendCollection, call, jobsOf, vectorsOf, wait } from './backend.js';
import { compress } from './compress.js';
import { EngineGraph } from './graph.js';

/** Documents fetched at once by `documents()`. */
const PAGE = 500;

/** A collection over what an engine gives. */
export class EngineCollection<M extends object = JsonObject> implements Collection<M> {
  readonly name: string;
  readonly graph: Graph<M>;
  readonly #backend: BackendCollection;

  constructor(name: string, backend: BackendCollection) {
    this.name = name;
    this.graph = new EngineGraph(backend);
    this.#backend = backend;
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

  async #write(documents: readonly NewDocument<M>[], upsert: boolean, options?: AddOptions): Promise<Written> {
    const { ids, vectors, metadata, lives } = encodeDocuments(documents);
    const how = options && encodeRequest(options);
    const replaced = await wait(() => this.#backend.write(ids, vectors, metadata, lives, upsert, how));
    return { written: ids.length, replaced };
  }

  async delete(ids: string | readonly string[], options?: WriteOptions): Promise<number> {
    const checked = encodeIds(typeof ids === 'string' ? [ids] : ids);
    const how = options && encodeRequest(options);
    return await wait(() => this.#backend.delete(checked, how));
  }

  async touch(ids: string | readonly string[], options?: WriteOptions): Promise<number> {
    const checked = encodeIds(typeof ids === 'string' ? [ids] : ids);
    const how = options && encodeRequest(options);
    return await wait(() => this.#backend.touch(checked, how));
  }

  async touches(ids: readonly string[]): Promise<(Touch | null)[]> {
    const checked = encodeIds(ids);
    const answer = await wait(() => this.#backend.touches(checked));
    return (JSON.parse(answer) as { touches: (Touch | null)[] }).touches;
  }

  async get(id: string, options?: ReadOptions): Promise<Document<M> | null> {
    const [document] = await this.getMany([id], options);
    return document ?? null;
  }

  async getMany(ids: readonly string[], options?: ReadOptions): Promise<(Document<M> | null)[]> {
    const checked = encodeIds(ids);
    const how = options && encodeRequest(options);
    const answer = await wait(() => this.#backend.get(checked, how));
    const documents = JSON.parse(answer.json) as (Document<M> | null)[];
    return attach(answer, documents);
  }

  async versions(id: string): Promise<Version<M>[]> {
    const [checked] = encodeIds([id]);
    const answer = await wait(() => this.#backend.versions(checked!));
    const versions = JSON.parse(answer.json) as Version<M>[];
    attach(answer, versions);
    return versions;
  }

  async search(request: SearchRequest): Promise<SearchResult<M>> {
    const [json, vector] = encodeSearch(request);
    return decodeSearch<M>(await wait(() => this.#backend.search(json, vector)));
  }

  searchSync(request: SearchRequest): SearchResult<M> {
    const [json, vector] = encodeSearch(request);
    return decodeSearch<M>(call(() => this.#backend.searchSync(json, vector)));
  }

  async scan(request?: ScanRequest): Promise<Page<M>> {
    const json = encodeRequest(request);
    const answer = await wait(() => this.#backend.scan(json));
    const page = JSON.parse(answer.json) as Page<M>;
    attach(answer, page.documents);
    return page;
  }

  async *documents(options?: ReadOptions): AsyncIterableIterator<Document<M>> {
    let cursor: string | null = null;
    do {
      const page: Page<M> = await this.scan({ ...options, limit: PAGE, cursor });
      yield* page.documents;
      cursor = page.next;
    } while (cursor !== null);
  }

  seal(): Promise<boolean> {
    return wait(() => this.#backend.run('seal'));
  }

  index(): Promise<boolean> {
    return wait(() => this.#backend.run('index'));
  }

  merge(): Promise<boolean> {
    return wait(() => this.#backend.run('merge'));
  }

  optimize(): Promise<boolean> {
    return wait(() => this.#backend.run('optimize'));
  }

  vacuum(): Promise<boolean> {
    return wait(() => this.#backend.run('vacuum'));
  }

  recode(): Promise<boolean> {
    return wait(() => this.#backend.run('recode'));
  }

  refine(): Promise<boolean> {
    return wait(() => this.#backend.run('refine'));
  }

  compress(codes: Codes, options?: CompressOptions): Promise<void> {
    return compress(this, codes, options);
  }

  job(): Job | null {
    return jobsOf(this.#backend).job();
  }

  cancelJob(): boolean {
    return jobsOf(this.#backend).cancelJob();
  }

  async estimate(request?: EstimateRequest): Promise<Estimate> {
    const json = encodeRequest(request);
    return JSON.parse(await wait(() => this.#backend.estimate(json))) as Estimate;
  }

  async configure(change: ConfigureOptions): Promise<void> {
    const json = encodeRequest(change);
    await wait(() => this.#backend.configure(json));
  }

  export(): Promise<Uint8Array> {
    return wait(() => this.#backend.export());
  }

  async info(): Promise<CollectionInfo> {
    return JSON.parse(await wait(() => this.#backend.info())) as CollectionInfo;
  }
}

function encodeSearch(request: SearchRequest): [string, Float32Array | undefined] {
  if (typeof request !== 'object' || request === null) throw invalidRequest('an object', request);
  const { vector, ...rest } = request;
  return [encodeRequest(rest), encodeOptionalVector(vector)];
}

/** Hits by columns, as every engine answers them; explanations and highlights are there for all hits or for none. */
type Columns<M extends object> = [
  ids: string[],
  scores: number[],
  metadata: M[],
  explanations: Explanation[],
  warnings: string[],
  trace: PartTrace[] | null,
  facets: Facet[],
  total: number | null,
  highlights: Highlight[][],
  filterPlan: FilterPlan | null,
  connections: Connections<M>[],
];

function decodeSearch<M extends object>(answer: Answer): SearchResult<M> {
  const columns = JSON.parse(answer.json) as Columns<M>;
  const [ids, scores, metadata, explanations, warnings, trace, facets, total, highlights, filterPlan, connections] =
    columns;
  const vectors = vectorsOf(answer);
  const hits = ids.map((id, i) => {
    const hit: Hit<M> = { id, score: scores[i]!, metadata: metadata[i]! };
    const [vector, explanation, highlighted] = [vectors[i], explanations[i], highlights[i]];
    if (vector) hit.vector = vector;
    if (explanation) hit.explanation = explanation;
    if (highlighted) hit.highlights = highlighted;
    const related = connections[i];
    if (related) hit.connections = related;
    return hit;
  });
  const result: SearchResult<M> = { hits, warnings };
  if (total !== null) {
    result.facets = facets;
    result.total = total;
  }
  if (trace) result.trace = trace;
  if (filterPlan) result.filter_plan = filterPlan;
  return result;
}

/** Puts the vectors of an answer into its documents. */
function attach<D extends { vector: Float32Array | null }>(answer: Answer, documents: (D | null)[]): (D | null)[] {
  const vectors = vectorsOf(answer);
  documents.forEach((document, i) => {
    if (document) document.vector = vectors[i] ?? null;
  });
  return documents;
}
