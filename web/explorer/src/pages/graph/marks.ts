// What stands above the picture of a graph: rings around what is marked, and the edges that are told in words.

import { cssOf } from '../../compute/colours.js';
import { NEAREST, PINNED, START } from '../../compute/network.js';
import type { Overlay, Ring, Told } from '../../draw/overlay.js';
import { type Listed, relationName } from './lists.js';
import type { Look } from './looks.js';

/** Rings, edges in words, and nodes with a label wherever they are, at most. */
const RINGS_MAX = 500;
const TOLD_MAX = 40;
const NAMED_MAX = 30;
const WORDS_MAX = 40;

export interface Marks {
  overlay: Omit<Overlay, 'labels' | 'lasso'>;
  /** The nodes that have a label wherever they are in view. */
  first: number[];
}

export function marksOf(
  { network, nodeMask, edgeMask }: Listed,
  { selected, pathNodes, pathEdges, theme }: Pick<Look, 'selected' | 'pathNodes' | 'pathEdges' | 'theme'>,
): Marks {
  const rings: Ring[] = [];
  const named: number[] = [];
  for (let node = 0; node < network.nodes && rings.length < RINGS_MAX; node += 1) {
    if (!nodeMask[node]) continue;
    if (network.has(node, START) && named.length < NAMED_MAX) named.push(node);
    if (network.has(node, PINNED)) rings.push({ node, css: cssOf(theme.ink, 0.7), gap: 2, dashed: true });
  }
  for (const node of pathNodes) rings.push({ node, css: cssOf(theme.path), gap: 2 });
  if (selected >= 0) rings.push({ node: selected, css: cssOf(theme.ink), gap: 3 });
  const told: Told[] = [];
  for (let edge = 0; edge < network.edges && told.length < TOLD_MAX; edge += 1) {
    const [source, target] = [network.ends[2 * edge] as number, network.ends[2 * edge + 1] as number];
    const isPath = pathEdges.has(edge);
    if (!edgeMask[edge] || !(isPath || source === selected || target === selected)) continue;
    const isNear = network.relation[edge] === NEAREST;
    const words = isNear ? `\u2248 ${(network.weight[edge] as number).toFixed(2)}` : relationName(network, network.relation[edge] as number);
    const colour = isPath ? theme.path : isNear ? theme.near : theme.chosen;
    told.push({ source, target, text: words.slice(0, WORDS_MAX), css: cssOf(colour) });
  }
  const first = new Set([...(selected >= 0 ? [selected] : []), ...pathNodes, ...named]);
  const overlay = { rings, told, ink: cssOf(theme.ink), paper: cssOf(theme.paper), accent: cssOf(theme.chosen) };
  return { overlay, first: [...first] };
}
