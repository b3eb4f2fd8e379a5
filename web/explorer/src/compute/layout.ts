// A force layout, step by step: graphology's ForceAtlas2 over its own typed arrays, without its graph. The settings are those
// that it infers from the number of nodes. A step is pure arithmetic: the same input gives the same picture.

import iterate from 'graphology-layout-forceatlas2/iterate.js';

import { LAYOUT } from './defaults.js';

/** Numbers of a node and of an edge in the library's matrices, and where some of them are. */
const PER_NODE = 10;
const PER_EDGE = 3;
const MASS = 6;
const CONVERGENCE = 7;
const SIZE = 8;
const FIXED = 9;

/** What is laid out. */
export interface LayoutInput {
  /** x and y of each node. */
  xy: Float32Array;
  /** Source and target of each edge. */
  ends: Uint32Array;
  weights: Float32Array;
  /** Not 0 for nodes that stay where they are. */
  fixed: Uint8Array;
}

export class Layout {
  readonly #nodes: Float32Array;
  readonly #edges: Float32Array;
  readonly #settings: object;
  readonly #count: number;

  constructor({ xy, ends, weights, fixed }: LayoutInput) {
    this.#count = fixed.length;
    this.#nodes = new Float32Array(PER_NODE * this.#count);
    this.#edges = new Float32Array(PER_EDGE * weights.length);
    for (let node = 0; node < this.#count; node += 1) {
      const at = node * PER_NODE;
      this.#nodes[at] = xy[2 * node] as number;
      this.#nodes[at + 1] = xy[2 * node + 1] as number;
      this.#nodes[at + MASS] = 1;
      this.#nodes[at + CONVERGENCE] = 1;
      this.#nodes[at + SIZE] = 1;
      this.#nodes[at + FIXED] = fixed[node] as number;
    }
    for (let edge = 0; edge < weights.length; edge += 1) {
      const [source, target] = [PER_NODE * (ends[2 * edge] as number), PER_NODE * (ends[2 * edge + 1] as number)];
      // A spring pulls, however an edge is weighted: what is not positive pulls a little, and nothing pulls without bound.
      const pull = Math.min(10, Math.max(0.1, weights[edge] as number)) || 1;
      this.#edges[PER_EDGE * edge] = source;
      this.#edges[PER_EDGE * edge + 1] = target;
      this.#edges[PER_EDGE * edge + 2] = pull;
      this.#nodes[source + MASS]! += pull;
      this.#nodes[target + MASS]! += pull;
    }
    this.#settings = {
      linLogMode: false,
      outboundAttractionDistribution: false,
      adjustSizes: false,
      edgeWeightInfluence: 1,
      scalingRatio: 10,
      strongGravityMode: true,
      gravity: 0.05,
      slowDown: 1 + Math.log(Math.max(1, this.#count)),
      barnesHutOptimize: this.#count > LAYOUT.barnesHutFrom,
      barnesHutTheta: 0.8,
    };
  }

  /** Holds a node where it is put, or lets it go. */
  hold(node: number, x: number, y: number, fixed: boolean): void {
    const at = node * PER_NODE;
    this.#nodes[at] = x;
    this.#nodes[at + 1] = y;
    this.#nodes[at + FIXED] = fixed ? 1 : 0;
  }

  /** Does one step and answers how far nodes moved on average, as a share of the picture. */
  step(): number {
    const before = this.positions(new Float32Array(2 * this.#count));
    iterate(this.#settings, this.#nodes, this.#edges);
    let moved = 0;
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let node = 0; node < this.#count; node += 1) {
      const [x, y] = [this.#nodes[node * PER_NODE] as number, this.#nodes[node * PER_NODE + 1] as number];
      moved += Math.abs(x - (before[2 * node] as number)) + Math.abs(y - (before[2 * node + 1] as number));
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
    const extent = Math.max(right - left, bottom - top, 1e-6);
    return this.#count === 0 ? 0 : moved / this.#count / extent;
  }

  /** Writes x and y of each node. */
  positions(into: Float32Array): Float32Array {
    for (let node = 0; node < this.#count; node += 1) {
      into[2 * node] = this.#nodes[node * PER_NODE] as number;
      into[2 * node + 1] = this.#nodes[node * PER_NODE + 1] as number;
    }
    return into;
  }
}
