// The graph of the interface: edges, and what is asked of them.

import type { CallOptions, JsonObject, ReadOptions, Vector, WatchOptions, WriteOptions } from './types.js';

/** An edge to be made. */
export interface NewEdge {
  /** The id where it begins, or `collection::id` of another collection; its document need not exist. */
  source: string;
  /** What it means, without dots and asterisks. */
  relation: string;
  /** The id where it leads, or `collection::id`. */
  target: string;
  /** A relation that leads back, with the same weight and properties. */
  inverse?: string;
  /** 1 when left out. */
  weight?: number;
  properties?: object;
}

/** A rule that links documents by their metadata. */
export interface AutoLink {
  /** The path of the field whose values, text, numbers or booleans, are the ids of targets. */
  field: string;
  /** The relation of the edges. */
  relation: string;
  /** That of edges back; left out, none are made. */
  inverse?: string | undefined;
  /** True to make documents, without vector and metadata, of targets that are not there. */
  create_target?: boolean | undefined;
}

/** An edge to be ended. */
export interface Unlinked {
  source: string;
  relation: string;
  target: string;
  /** A relation that leads back, which ends too. */
  inverse?: string;
  /** Whether its history goes with it. */
  erase?: boolean;
}

/** A version of an edge. */
export interface Edge {
  source: string;
  relation: string;
  target: string;
  weight: number;
  properties?: JsonObject;
  /** Since when it is there, RFC 3339. */
  created: string;
  /** The first moment at which it is not there; null for none. */
  ended: string | null;
}

/** An end of edges. */
export interface GraphNode<Metadata extends object = JsonObject> {
  id: string;
  /** How many edges away it is. */
  depth: number;
  /** With `hydrate`: the metadata of its document; null for one that is not there. */
  metadata?: Metadata | null;
  /** With `with_vector`: its vector; null for none. */
  vector?: number[] | null;
}

/** What every question to the graph takes. */
export interface GraphRequest extends ReadOptions {
  /** At most so many ends or edges are answered: 1,000 when left out. */
  limit?: number;
  /** Whether documents come with their ids. */
  hydrate?: boolean;
  /** Whether they come with their vectors. */
  with_vector?: boolean;
}

/** What questions along edges take. */
export interface AlongRequest extends GraphRequest {
  /** Along these relations; left out, all. */
  relations?: readonly string[];
  /** `out` when left out. */
  direction?: 'out' | 'in' | 'both';
}

/** Whose edges. */
export interface EdgesRequest extends AlongRequest {
  id: string;
  /** Whether versions that have ended are told as well. */
  history?: boolean;
}

/** Edges in the order in which they were made, and each of their other ends once. */
export interface EdgesResult<Metadata extends object = JsonObject> {
  edges: Edge[];
  nodes: GraphNode<Metadata>[];
  /** Whether there are more. */
  truncated: boolean;
}

/** From where, and along which paths. */
export interface TraverseRequest extends GraphRequest {
  id: string;
  /** Such as `parent.child`, `<parent` against the edges, `*` along any relation, `**` as far as `depth`. */
  paths: readonly string[];
  /** How far `**` goes: 3 when left out. */
  depth?: number;
}

/** A document, the edge it was reached by, and what the paths lead to from it. */
export interface TraverseNode<Metadata extends object = JsonObject> extends GraphNode<Metadata> {
  edge?: Edge;
  /** By the path, or what is left of it. */
  connections?: Record<string, TraverseNode<Metadata>[]>;
}

/** What paths lead to. */
export interface Traversal<Metadata extends object = JsonObject> {
  result: TraverseNode<Metadata>;
  truncated: boolean;
}

/** Around which documents. */
export interface SubgraphRequest extends AlongRequest {
  /** One document, or several as `ids`. */
  id?: string;
  ids?: readonly string[];
  /** How many edges away: 1 when left out. */
  depth?: number;
  /** Only through documents near a vector: those that score so much at least. */
  guide?: { vector: Vector; threshold: number };
  /** Whether edges are told: true when left out. Ends alone take less time. */
  with_edges?: boolean;
}

/** Ends, the nearest first, and the edges between them. */
export interface Subgraph<Metadata extends object = JsonObject> {
  nodes: GraphNode<Metadata>[];
  edges: Edge[];
  truncated: boolean;
}

/** From where to where. */
export interface PathRequest extends AlongRequest {
  source: string;
  target: string;
  /** At most so many edges: 16 when left out. */
  depth?: number;
  /** Whether the sum of weights is to be least, not the number of edges. */
  weighted?: boolean;
}

/** A shortest path, from its source to its target; empty where there is none. */
export interface GraphPath<Metadata extends object = JsonObject> {
  nodes: GraphNode<Metadata>[];
  edges: Edge[];
  /** The number of edges, or the sum of their weights; null where there is no path. */
  cost: number | null;
  /** Whether the search ended at its bounds. */
  truncated: boolean;
}

/** As of when, and how many. */
export interface ComponentsRequest extends ReadOptions {
  limit?: number;
}

/** What hangs together, the largest first, and the ends with the most edges. */
export interface Components {
  components: { first: string; len: number }[];
  degrees: { id: string; edges: number }[];
  truncated: boolean;
}

/** What a relink did. */
export interface Relinked {
  /** Documents that were looked at. */
  documents: number;
  /** Edges that were made. */
  linked: number;
}

/** The edges between documents, with their history. */
export interface Graph<Metadata extends object = JsonObject> {
  /** Makes edges, all or none of them, and answers how many versions began: none for edges that are there as they are. */
  link(edges: NewEdge | readonly NewEdge[], options?: WriteOptions): Promise<number>;
  /** Ends edges and answers how many were there. */
  unlink(edges: Unlinked | readonly Unlinked[], options?: WriteOptions): Promise<number>;
  /** The edges at a document. */
  edges(request: EdgesRequest, options?: CallOptions): Promise<EdgesResult<Metadata>>;
  /** What paths of relations lead to. */
  traverse(request: TraverseRequest, options?: CallOptions): Promise<Traversal<Metadata>>;
  /** What is around documents. */
  subgraph(request: SubgraphRequest, options?: CallOptions): Promise<Subgraph<Metadata>>;
  /**
   * Writes the edges of a segment again without those that ended longer ago than `graph_retention`; false when there are
   * none. Happens by itself when it is due.
   */
  vacuum(options?: WatchOptions): Promise<boolean>;
  /** A shortest path. */
  path(request: PathRequest, options?: CallOptions): Promise<GraphPath<Metadata>>;
  /** What hangs together; a job, which tells how far it has come and can be cancelled. */
  components(request?: ComponentsRequest, options?: WatchOptions): Promise<Components>;
  /**
   * Makes the edges that `auto_links` name of documents that are there and that are missing. What was made stays when it is
   * cancelled, and it can be begun again.
   */
  relink(options?: WatchOptions): Promise<Relinked>;
}

/** Around which documents a search looks. */
export interface GraphFilter {
  /** One document, or several as `roots`. */
  root?: string;
  roots?: readonly string[];
  /** Along these relations; left out, all. */
  relations?: readonly string[];
  /** `out` when left out. */
  direction?: 'out' | 'in' | 'both';
  /** How many edges away: 1 when left out. */
  depth?: number;
}

/** How hits of a search are expanded. */
export interface Expansion {
  /** Along these relations; left out, all. */
  relations?: readonly string[];
  /** `out` when left out. */
  direction?: 'out' | 'in' | 'both';
  /** How many edges away: 1 when left out. */
  depth?: number;
  /** The share of a score that an edge leaves, 0 to 1: 0.5 when left out. */
  damping?: number;
  /** How many of the best hits are expanded: 10 when left out. */
  hits?: number;
  /** How often documents and other ends are come to at most: 1,000 when left out. */
  limit?: number;
}

/** What a result leads to, by path. */
export type Connections<Metadata extends object = JsonObject> = Record<string, TraverseNode<Metadata>[]>;
