// The graph of a collection of any engine behind the interface: checks what is asked, and reads what is answered.

import { encodeMetadata, encodeOptions, encodeRequest } from '../encode.js';
import { invalidRequest, unsupported } from '../errors.js';
import type {
  CallOptions,
  Components,
  ComponentsRequest,
  EdgesRequest,
  EdgesResult,
  GraphPath,
  JsonObject,
  NewEdge,
  NodeGraph,
  PathRequest,
  Relinked,
  Subgraph,
  SubgraphRequest,
  Traversal,
  TraverseRequest,
  Unlinked,
  WatchOptions,
  WriteOptions,
} from '../types.js';
import { type BackendCollection, type Call, call, jobsOf, wait } from './backend.js';
import { watched } from './watch.js';

/** A graph over what an engine gives. */
export class EngineGraph<M extends object = JsonObject> implements NodeGraph<M> {
  readonly #backend: BackendCollection;

  constructor(backend: BackendCollection) {
    this.#backend = backend;
  }

  async link(edges: NewEdge | readonly NewEdge[], options?: WriteOptions): Promise<number> {
    const json = encodeEdges(edges, options);
    return await wait((call) => this.#backend.link(json, call), options);
  }

  async unlink(edges: Unlinked | readonly Unlinked[], options?: WriteOptions): Promise<number> {
    const json = encodeEdges(edges, options);
    return await wait((call) => this.#backend.unlink(json, call), options);
  }

  edges(request: EdgesRequest, options?: CallOptions): Promise<EdgesResult<M>> {
    return this.#ask('edges', request, options);
  }

  traverse(request: TraverseRequest, options?: CallOptions): Promise<Traversal<M>> {
    return this.#ask('traverse', request, options);
  }

  subgraph(request: SubgraphRequest, options?: CallOptions): Promise<Subgraph<M>> {
    return this.#ask('subgraph', plainly(request), options);
  }

  vacuum(options?: WatchOptions): Promise<boolean> {
    const asked = () => wait(() => this.#backend.run('graph_vacuum', { signal: options?.signal }));
    return watched(jobsOf(this.#backend), 'graph_vacuum', 'graph_vacuum', asked, options);
  }

  path(request: PathRequest, options?: CallOptions): Promise<GraphPath<M>> {
    return this.#ask('path', request, options);
  }

  components(request?: ComponentsRequest, options?: WatchOptions): Promise<Components> {
    const json = encodeRequest(request);
    return this.#watch('components', (call) => this.#backend.graph('components', json, call), options);
  }

  relink(options?: WatchOptions): Promise<Relinked> {
    return this.#watch('relink', (call) => this.#backend.relink(call), options);
  }

  linkSync(edges: NewEdge | readonly NewEdge[], options?: WriteOptions): number {
    const json = encodeEdges(edges, options);
    const backend = this.#backend;
    if (!backend.linkSync) throw unsupported('graph.linkSync');
    return call(() => backend.linkSync!(json));
  }

  unlinkSync(edges: Unlinked | readonly Unlinked[], options?: WriteOptions): number {
    const json = encodeEdges(edges, options);
    const backend = this.#backend;
    if (!backend.unlinkSync) throw unsupported('graph.unlinkSync');
    return call(() => backend.unlinkSync!(json));
  }

  edgesSync(request: EdgesRequest): EdgesResult<M> {
    return this.#askSync('edges', request);
  }

  traverseSync(request: TraverseRequest): Traversal<M> {
    return this.#askSync('traverse', request);
  }

  subgraphSync(request: SubgraphRequest): Subgraph<M> {
    return this.#askSync('subgraph', plainly(request));
  }

  pathSync(request: PathRequest): GraphPath<M> {
    return this.#askSync('path', request);
  }

  #askSync<T>(verb: string, request: unknown): T {
    const json = encodeRequest(request);
    const backend = this.#backend;
    if (!backend.graphSync) throw unsupported(`graph.${verb}Sync`);
    return JSON.parse(call(() => backend.graphSync!(verb, json))) as T;
  }

  async #watch<T>(
    kind: 'components' | 'relink',
    work: (call: Call) => Promise<string>,
    options?: WatchOptions,
  ): Promise<T> {
    // An engine that is elsewhere ends its request at once; what cancels the job is on its own way.
    const asked = () => wait(() => work({ signal: options?.signal }));
    return JSON.parse(await watched(jobsOf(this.#backend), kind, kind, asked, options)) as T;
  }

  async #ask<T>(verb: string, request: unknown, options?: CallOptions): Promise<T> {
    const json = encodeRequest(request);
    return JSON.parse(await wait((call) => this.#backend.graph(verb, json, call), options)) as T;
  }
}

/** A request whose guide JSON can hold: a typed array would become an object of its indexes. */
function plainly(request: SubgraphRequest): SubgraphRequest {
  const guide = request?.guide;
  return guide ? { ...request, guide: { ...guide, vector: Array.from(guide.vector) } } : request;
}

/** Edges and what a write waits for, as JSON: properties are checked like metadata. */
function encodeEdges(edges: NewEdge | readonly NewEdge[], options?: WriteOptions): string {
  const all: readonly NewEdge[] = Array.isArray(edges) ? edges : [edges as NewEdge];
  const encoded = all.map((edge: NewEdge) => {
    if (typeof edge !== 'object' || edge === null) throw invalidRequest('an edge', edge);
    const { properties, ...rest } = edge;
    const checked = encodeMetadata(properties);
    const plain = encodeRequest(rest);
    return checked === undefined ? plain : `${plain.slice(0, -1)},"properties":${checked}}`;
  });
  const how = encodeOptions(options)?.slice(1, -1);
  return `{"edges":[${encoded.join(',')}]${how ? `,${how}` : ''}}`;
}
