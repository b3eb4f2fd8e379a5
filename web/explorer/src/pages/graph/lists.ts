// What is shown in words: the list of nodes, the edges of one, and all of it as JSON. Pure functions over a network and what of it is
// shown.

import { NEAREST, type Network } from '../../compute/network.js';
import { titleOf } from './titles.js';

/** A network, what of it is shown, and what names its documents. */
export interface Listed {
  network: Network;
  nodeMask: Uint8Array;
  edgeMask: Uint8Array;
  /** Shown edges of each node. */
  degrees: Uint32Array;
  /** The field that names documents; '' for their ids. */
  titleField: string;
}

/** A row of the list of nodes. */
export interface Row {
  id: string;
  title: string;
  edges: number;
}

/** An edge of a node in words. */
export interface Line {
  key: string;
  relation: string;
  other: string;
  title: string;
  isOut: boolean;
  weight: number;
  /** The first moment at which it is not there; Infinity for none. */
  ended: number;
}

/** Edges of one node that are listed at most. */
const LINES_MAX = 60;

const titleAt = ({ network, titleField }: Listed, node: number): string =>
  titleOf(network.ids[node] ?? '', network.metadata[node], titleField);

/** What a relation is called. */
export const relationName = (network: Network, number: number): string =>
  number === NEAREST ? 'near by vector' : (network.relations[number] as string);

/** The shown nodes, those with the most edges first, of those that have `part` in their id or title: `most` of them. */
export function rowsOf(listed: Listed, part: string, most: number): { rows: Row[]; count: number } {
  const { network, nodeMask, degrees } = listed;
  const wanted = part.trim().toLowerCase();
  const found: number[] = [];
  for (let node = 0; node < network.nodes; node += 1) {
    if (!nodeMask[node]) continue;
    const isIt = wanted === '' || `${network.ids[node]}\n${titleAt(listed, node)}`.toLowerCase().includes(wanted);
    if (isIt) found.push(node);
  }
  const first = strongest(found, degrees, most);
  const rows = first.map((node) => ({
    id: network.ids[node] as string, title: titleAt(listed, node), edges: degrees[node] as number,
  }));
  return { rows, count: found.length };
}

/** The `most` nodes with the most edges, in that order: only those that can be among them are sorted. */
function strongest(nodes: number[], degrees: Uint32Array, most: number): number[] {
  const counts = new Map<number, number>();
  for (const node of nodes) counts.set(degrees[node] as number, (counts.get(degrees[node] as number) ?? 0) + 1);
  let least = Infinity;
  let count = 0;
  for (const degree of [...counts.keys()].sort((a, b) => b - a)) {
    least = degree;
    count += counts.get(degree) as number;
    if (count >= most) break;
  }
  const more = nodes.filter((node) => (degrees[node] as number) > least);
  more.sort((a, b) => (degrees[b] as number) - (degrees[a] as number) || a - b);
  // The last ones have equally many: they are taken in their order.
  for (const node of nodes) {
    if (more.length >= most) break;
    if (degrees[node] === least) more.push(node);
  }
  return more.slice(0, most);
}

/** The shown edges of a node in words. */
export function linesOf(listed: Listed, id: string): { lines: Line[]; count: number } {
  const { network, edgeMask } = listed;
  const { ends, relation, weight, ended } = network;
  const node = network.find(id);
  const lines: Line[] = [];
  let count = 0;
  for (let edge = 0; edge < network.edges; edge += 1) {
    const [source, target] = [ends[2 * edge] as number, ends[2 * edge + 1] as number];
    if (!edgeMask[edge] || (source !== node && target !== node)) continue;
    count += 1;
    if (lines.length >= LINES_MAX) continue;
    const other = source === node ? target : source;
    lines.push({
      key: `${edge} ${source} ${target}`,
      relation: relationName(network, relation[edge] as number),
      other: network.ids[other] as string,
      title: titleAt(listed, other),
      isOut: source === node,
      weight: weight[edge] as number,
      ended: ended[edge] as number,
    });
  }
  return { lines, count };
}

/** Whether nearest vectors are overlaid. */
export const hasNearest = ({ network }: Listed): boolean => network.relation.subarray(0, network.edges).includes(NEAREST);

/** All that is shown, for programs. */
export function jsonOf({ network, nodeMask, edgeMask }: Listed, collection: string, at: number): string {
  const { ids, metadata, xy, ends, relation, weight, begun, ended, properties } = network;
  const time = (moment: number) => (Number.isFinite(moment) ? new Date(moment).toISOString() : null);
  const nodes = ids.flatMap((id, node) =>
    nodeMask[node] ? [{ id, metadata: metadata[node] ?? null, x: xy[2 * node], y: xy[2 * node + 1] }] : []);
  const edges: object[] = [];
  for (let edge = 0; edge < network.edges; edge += 1) {
    if (!edgeMask[edge]) continue;
    const isNear = relation[edge] === NEAREST;
    edges.push({
      source: ids[ends[2 * edge] as number],
      ...(isNear ? { near: true } : { relation: network.relations[relation[edge] as number] }),
      target: ids[ends[2 * edge + 1] as number],
      weight: weight[edge],
      ...(properties.has(edge) ? { properties: properties.get(edge) } : {}),
      ...(isNear ? {} : { created: time(begun[edge] as number), ended: time(ended[edge] as number) }),
    });
  }
  return `${JSON.stringify({ collection, as_of: time(at), nodes, edges }, null, 1)}\n`;
}
