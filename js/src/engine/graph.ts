// The graph of a collection of any engine behind the interface: checks what is asked, and reads what is answered.

import { encodeMetadata, encodeRequest } from '../encode.js';
import { invalidRequest } from '../errors.js';
import type {
  Components,
  ComponentsRequest,
  EdgesRequest,
  EdgesResult,
  Graph,
  GraphPath,
  JsonObject,
  NewEdge,
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
import { type BackendCollection, jobsOf, wait } from './backend.js';
import { watched } from './watch.js';

/** A graph over what an engine gives. */
export class EngineGraph<M extends object = JsonObject> implements Graph<M> {
  readonly #backend: BackendCollection;

  constructor(backend: BackendCollection) {
    this.#backend = backend;
  }

  async link(edges: NewEdge | readonly NewEdge[], options?: WriteOptions): Promise<number> {
    const json = encodeEdges(edges, options);
    return await wait(() => this.#backend.link(json));
  }

  async unlink(edges: Unlinked | readonly Unlinked[], options?: WriteOptions): Promise<number> {
    const json = encodeEdges(edges, options);
    return await wait(() => this.#backend.unlink(json));
  }

  edges(request: EdgesRequest): Promise<EdgesResult<M>> {
    return this.#ask('edges', request);
  }

  traverse(request: TraverseRequest): Promise<Traversal<M>> {
    return this.#ask('traverse', request);
  }

  subgraph(request: SubgraphRequest): Promise<Subgraph<M>> {
    const guide = request?.guide;
    // A typed array would become an object of its indexes.
    const plain = guide ? { ...guide, vector: Array.from(guide.vector) } : undefined;
    return this.#ask('subgraph', plain ? { ...request, guide: plain } : request);
  }

  vacuum(): Promise<boolean> {
    return wait(() => this.#backend.run('graph_vacuum'));
  }

  path(request: PathRequest): Promise<GraphPath<M>> {
    return this.#ask('path', request);
  }

  components(request?: ComponentsRequest, options?: WatchOptions): Promise<Components> {
    const json = encodeRequest(request);
    return this.#watch('components', () => this.#backend.graph('components', json), options);
  }

  relink(options?: WatchOptions): Promise<Relinked> {
    return this.#watch('relink', () => this.#backend.relink(), options);
  }

  async #watch<T>(kind: 'components' | 'relink', work: () => Promise<string>, options?: WatchOptions): Promise<T> {
    return JSON.parse(await watched(jobsOf(this.#backend), kind, kind, () => wait(work), options)) as T;
  }

  async #ask<T>(verb: string, request: unknown): Promise<T> {
    const json = encodeRequest(request);
    return JSON.parse(await wait(() => this.#backend.graph(verb, json))) as T;
  }
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
  const how = options ? encodeRequest(options).slice(1, -1) : '';
  return `{"edges":[${encoded.join(',')}]${how ? `,${how}` : ''}}`;
}
