// A graph in view: nodes and versions of edges in typed arrays that grow, found by id and by ends. It knows where a node came
// from, so that what an expansion brought can go again. Nothing here draws, asks or waits.

import { momentOf } from './moments.js';

/** An end of edges, as the graph verbs tell it. */
export interface NodeIn {
  id: string;
  metadata?: object | null | undefined;
}

/** A version of an edge, as the graph verbs tell it. */
export interface EdgeIn {
  source: string;
  relation: string;
  target: string;
  weight: number;
  properties?: object | undefined;
  created: string;
  ended: string | null;
}

/** What is kept of a node beside its place. */
export const PINNED = 1;
export const EXPANDED = 2;
/** Asked for by the user: never goes with a collapse. */
export const START = 4;
/** The answer about its edges was cut off. */
export const CUT = 8;

/** The relation of nearest vectors, which is no edge of the collection. */
export const NEAREST = 0;

/** What an addition did, and what had no room. */
export interface Added {
  nodes: number;
  edges: number;
  refusedNodes: number;
  refusedEdges: number;
}

/** How much a network may hold. */
export interface Room {
  nodesMax: number;
  edgesMax: number;
}

/** A radian measure that spreads any number of points around a circle without clumps. */
const GOLDEN = 2.399_963_229_728_653;

export class Network {
  readonly room: Room;
  nodes = 0;
  edges = 0;
  ids: string[] = [];
  /** Undefined when it was not asked for, null where there is no document. */
  metadata: (object | null | undefined)[] = [];
  /** By number; 0 is `NEAREST`. */
  relations: string[] = [''];
  properties = new Map<number, object>();
  /** x and y of each node. */
  xy = new Float32Array(0);
  marks = new Uint8Array(0);
  /** The node whose expansion brought it; -1 for none. */
  origin = new Int32Array(0);
  /** Source and target of each edge. */
  ends = new Uint32Array(0);
  relation = new Uint16Array(0);
  weight = new Float32Array(0);
  /** Milliseconds since 1970: from when it is there, and the first moment at which it is not, or Infinity. */
  begun = new Float64Array(0);
  ended = new Float64Array(0);
  readonly #byId = new Map<string, number>();
  readonly #byRelation = new Map<string, number>();
  /** The newest edge of a pair of ends, and for each edge the one before it of the same pair. */
  readonly #byPair = new Map<number, number>();
  #before = new Int32Array(0);

  constructor(room: Room) {
    this.room = room;
  }

  find(id: string): number {
    return this.#byId.get(id) ?? -1;
  }

  has(node: number, mark: number): boolean {
    return ((this.marks[node] ?? 0) & mark) !== 0;
  }

  mark(node: number, mark: number, on = true): void {
    const before = this.marks[node] ?? 0;
    this.marks[node] = on ? before | mark : before & ~mark;
  }

  /** Adds what is not there yet; new nodes are placed around `origin`, or around the first of their neighbours. */
  add(nodes: readonly NodeIn[], edges: readonly EdgeIn[], origin = -1): Added {
    const added: Added = { nodes: 0, edges: 0, refusedNodes: 0, refusedEdges: 0 };
    const first = this.nodes;
    for (const node of nodes) this.#addNode(node, origin, added);
    for (const edge of edges) {
      const source = this.#addNode({ id: edge.source }, origin, added);
      const target = this.#addNode({ id: edge.target }, origin, added);
      if (source < 0 || target < 0) added.refusedEdges += 1;
      else this.#addEdge(source, target, this.#relationOf(edge.relation), edge, added);
    }
    this.#place(first, origin);
    return added;
  }

  /** Overlays the nearest documents of one: `score` becomes the weight. */
  addNearest(node: number, found: readonly { id: string; score: number; metadata?: object | null }[]): Added {
    const added: Added = { nodes: 0, edges: 0, refusedNodes: 0, refusedEdges: 0 };
    const first = this.nodes;
    for (const { id, score, metadata } of found) {
      const target = this.#addNode({ id, metadata }, node, added);
      if (target === node) continue;
      const edge = { weight: score, created: null, ended: null };
      if (target < 0) added.refusedEdges += 1;
      else this.#addEdge(node, target, NEAREST, edge, added);
    }
    this.#place(first, node);
    return added;
  }

  /** How many edges each node has, among those of a mask. */
  degrees(shown?: Uint8Array): Uint32Array {
    const degrees = new Uint32Array(this.nodes);
    for (let edge = 0; edge < this.edges; edge += 1) {
      if (shown && !shown[edge]) continue;
      degrees[this.ends[2 * edge] as number]! += 1;
      degrees[this.ends[2 * edge + 1] as number]! += 1;
    }
    return degrees;
  }

  /** The nodes that came through a node, which go when it is collapsed: all but those that are pinned or were asked for. */
  broughtBy(node: number): number[] {
    const found: number[] = [];
    // An origin is older than what it brought, so that one pass meets every chain from its head.
    const within = new Uint8Array(this.nodes);
    within[node] = 1;
    for (let at = 0; at < this.nodes; at += 1) {
      const from = this.origin[at] as number;
      if (from < 0 || at === node || !within[from] || this.has(at, START)) continue;
      within[at] = 1;
      if (!this.has(at, PINNED)) found.push(at);
    }
    return found;
  }

  /** Takes nodes away with their edges; the numbers of the others change. */
  remove(nodes: Iterable<number>): void {
    const gone = new Uint8Array(this.nodes);
    for (const node of nodes) gone[node] = 1;
    const renumbered = new Int32Array(this.nodes).fill(-1);
    let count = 0;
    for (let node = 0; node < this.nodes; node += 1) if (!gone[node]) renumbered[node] = count++;
    for (let node = 0; node < this.nodes; node += 1) {
      const to = renumbered[node] as number;
      if (to < 0) continue;
      this.ids[to] = this.ids[node] as string;
      this.metadata[to] = this.metadata[node];
      this.xy.copyWithin(2 * to, 2 * node, 2 * node + 2);
      this.marks[to] = this.marks[node] as number;
      const from = this.origin[node] as number;
      this.origin[to] = from < 0 ? -1 : (renumbered[from] as number);
    }
    this.nodes = count;
    this.ids.length = count;
    this.metadata.length = count;
    this.#byId.clear();
    for (const [node, id] of this.ids.entries()) this.#byId.set(id, node);
    this.#keepEdges((edge) => {
      const source = renumbered[this.ends[2 * edge] as number] as number;
      const target = renumbered[this.ends[2 * edge + 1] as number] as number;
      return source < 0 || target < 0 ? null : [source, target];
    });
  }

  /** Takes the overlays away; the nodes stay. */
  removeNearest(): void {
    this.#keepEdges((edge) =>
      this.relation[edge] === NEAREST ? null : [this.ends[2 * edge] as number, this.ends[2 * edge + 1] as number],
    );
  }

  #addNode(node: NodeIn, origin: number, added: Added): number {
    const known = this.#byId.get(node.id);
    if (known !== undefined) {
      if (node.metadata !== undefined) this.metadata[known] = node.metadata;
      return known;
    }
    if (this.nodes >= this.room.nodesMax) {
      added.refusedNodes += 1;
      return -1;
    }
    const at = this.nodes++;
    if (at >= this.marks.length) this.#growNodes();
    this.ids[at] = node.id;
    this.metadata[at] = node.metadata;
    this.marks[at] = 0;
    this.origin[at] = origin;
    this.#byId.set(node.id, at);
    added.nodes += 1;
    return at;
  }

  #addEdge(
    source: number,
    target: number,
    relation: number,
    edge: { weight: number; created: string | null; ended: string | null; properties?: object | undefined },
    added: Added,
  ): void {
    const begun = edge.created === null ? Number.NEGATIVE_INFINITY : momentOf(edge.created);
    const ended = edge.ended === null ? Number.POSITIVE_INFINITY : momentOf(edge.ended);
    const pair = source * 2 ** 26 + target;
    const newest = this.#byPair.get(pair) ?? -1;
    for (let at = newest; at >= 0; at = this.#before[at] as number) {
      if (this.relation[at] !== relation || this.begun[at] !== begun) continue;
      this.ended[at] = ended;
      this.weight[at] = edge.weight;
      return;
    }
    if (this.edges >= this.room.edgesMax) {
      added.refusedEdges += 1;
      return;
    }
    const at = this.edges++;
    if (at >= this.relation.length) this.#growEdges();
    this.ends[2 * at] = source;
    this.ends[2 * at + 1] = target;
    this.relation[at] = relation;
    this.weight[at] = edge.weight;
    this.begun[at] = begun;
    this.ended[at] = ended;
    if (edge.properties && Object.keys(edge.properties).length > 0) this.properties.set(at, edge.properties);
    this.#before[at] = newest;
    this.#byPair.set(pair, at);
    added.edges += 1;
  }

  #relationOf(name: string): number {
    const known = this.#byRelation.get(name);
    if (known !== undefined) return known;
    this.relations.push(name);
    this.#byRelation.set(name, this.relations.length - 1);
    return this.relations.length - 1;
  }

  /** Gives the nodes from `first` on a place: around where they came from, else around a neighbour, else in a spiral. */
  #place(first: number, origin: number): void {
    if (first === this.nodes) return;
    const anchor = new Int32Array(this.nodes - first).fill(origin);
    for (let edge = 0; edge < this.edges; edge += 1) {
      const [a, b] = [this.ends[2 * edge] as number, this.ends[2 * edge + 1] as number];
      // What has its place already, or gets it earlier.
      if (a >= first && b < a && (anchor[a - first] as number) < 0) anchor[a - first] = b;
      if (b >= first && a < b && (anchor[b - first] as number) < 0) anchor[b - first] = a;
    }
    const around = new Uint32Array(this.nodes);
    for (let node = first; node < this.nodes; node += 1) {
      const center = anchor[node - first] as number;
      const turn = center < 0 ? node : (around[center]!++ as number);
      const radius = center < 0 ? 20 * Math.sqrt(node) : 10 + 3 * Math.sqrt(turn);
      const angle = (turn + 1) * GOLDEN + (center < 0 ? 0 : center);
      this.xy[2 * node] = (center < 0 ? 0 : (this.xy[2 * center] as number)) + radius * Math.cos(angle);
      this.xy[2 * node + 1] = (center < 0 ? 0 : (this.xy[2 * center + 1] as number)) + radius * Math.sin(angle);
    }
  }

  /** Keeps the edges for which `endsOf` gives their ends. */
  #keepEdges(endsOf: (edge: number) => [source: number, target: number] | null): void {
    const properties = new Map<number, object>();
    this.#byPair.clear();
    let count = 0;
    for (let edge = 0; edge < this.edges; edge += 1) {
      const ends = endsOf(edge);
      if (!ends) continue;
      const to = count++;
      const [source, target] = ends;
      this.ends[2 * to] = source;
      this.ends[2 * to + 1] = target;
      this.relation[to] = this.relation[edge] as number;
      this.weight[to] = this.weight[edge] as number;
      this.begun[to] = this.begun[edge] as number;
      this.ended[to] = this.ended[edge] as number;
      const told = this.properties.get(edge);
      if (told) properties.set(to, told);
      const pair = source * 2 ** 26 + target;
      this.#before[to] = this.#byPair.get(pair) ?? -1;
      this.#byPair.set(pair, to);
    }
    this.edges = count;
    this.properties = properties;
  }

  #growNodes(): void {
    const room = Math.min(this.room.nodesMax, Math.max(64, 2 * this.marks.length));
    this.xy = grown(this.xy, new Float32Array(2 * room));
    this.marks = grown(this.marks, new Uint8Array(room));
    this.origin = grown(this.origin, new Int32Array(room));
  }

  #growEdges(): void {
    const room = Math.min(this.room.edgesMax, Math.max(256, 2 * this.relation.length));
    this.ends = grown(this.ends, new Uint32Array(2 * room));
    this.relation = grown(this.relation, new Uint16Array(room));
    this.weight = grown(this.weight, new Float32Array(room));
    this.begun = grown(this.begun, new Float64Array(room));
    this.ended = grown(this.ended, new Float64Array(room));
    this.#before = grown(this.#before, new Int32Array(room));
  }
}

function grown<T extends { set(from: T): void }>(old: T, fresh: T): T {
  fresh.set(old);
  return fresh;
}
