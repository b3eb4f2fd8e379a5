// Communities of a graph: Louvain's method as graphology has it, with a seed, over typed arrays.

import Graph from 'graphology';
import louvain from 'graphology-communities-louvain';

import { LAYOUT } from './defaults.js';
import { seeded } from './random.js';

/** The community of each node, numbered by size from 0; nodes without an edge are one each. */
export function communities(nodes: number, ends: Uint32Array, weights: Float32Array): { of: Uint32Array; sizes: Uint32Array } {
  const graph = new Graph({ type: 'undirected', multi: false, allowSelfLoops: false });
  for (let node = 0; node < nodes; node += 1) graph.addNode(node);
  for (let edge = 0; edge < weights.length; edge += 1) {
    const [source, target, weight] = [ends[2 * edge] as number, ends[2 * edge + 1] as number, weights[edge] as number];
    if (source === target || !(weight > 0)) continue;
    graph.updateEdge(source, target, (known: { weight?: number }) => ({ weight: (known.weight ?? 0) + weight }));
  }
  const found: Record<string, number> =
    graph.size === 0 ? {} : louvain(graph, { getEdgeWeight: 'weight', rng: seeded(LAYOUT.seed) });
  const given = new Uint32Array(nodes);
  let next = nodes;
  for (let node = 0; node < nodes; node += 1) given[node] = found[String(node)] ?? next++;
  return bySize(given);
}

/** Groups renumbered so that 0 is the largest; of equal ones the one met first. */
function bySize(given: Uint32Array): { of: Uint32Array; sizes: Uint32Array } {
  const counts = new Map<number, number>();
  for (const group of given) counts.set(group, (counts.get(group) ?? 0) + 1);
  const order = [...counts.keys()].sort((a, b) => (counts.get(b) as number) - (counts.get(a) as number));
  const number = new Map(order.map((group, at) => [group, at]));
  return {
    of: given.map((group) => number.get(group) as number),
    sizes: Uint32Array.from(order, (group) => counts.get(group) as number),
  };
}
