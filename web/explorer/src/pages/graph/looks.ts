// How the nodes and edges of a view look: one pass over typed arrays each, from what is shown, chosen and coloured.

import type { Rgb } from '../../compute/colours.js';
import { LOOK } from '../../compute/defaults.js';
import { NEAREST, type Network, START } from '../../compute/network.js';
import type { Picture } from '../../draw/picture.js';

/** The colours of the page that the picture is drawn with. */
export interface Theme {
  ink: Rgb;
  paper: Rgb;
  /** Of edges, and of what is chosen, near by vector, on a path. */
  edge: Rgb;
  chosen: Rgb;
  near: Rgb;
  path: Rgb;
}

/** What the looks follow from. */
export interface Look {
  shownNodes: Uint8Array;
  shownEdges: Uint8Array;
  degrees: Uint32Array;
  /** Red, green, blue of each node; null for one colour. */
  rgb: Uint8Array | null;
  selected: number;
  /** The nodes and edges of the path that is shown; none without one. */
  pathNodes: ReadonlySet<number>;
  pathEdges: ReadonlySet<number>;
  theme: Theme;
}

/** Grown as the network does, and used again for every frame. */
export class Looks {
  #nodeColours = new Uint8Array(0);
  #radii = new Float32Array(0);
  #edgeColours = new Uint8Array(0);
  #widths = new Float32Array(0);
  importance = new Float32Array(0);

  /** The picture of a network. */
  of(network: Network, look: Look): Picture {
    const { nodes, edges } = network;
    if (this.#radii.length < nodes) {
      const room = network.marks.length;
      this.#nodeColours = new Uint8Array(4 * room);
      this.#radii = new Float32Array(room);
      this.importance = new Float32Array(room);
    }
    if (this.#widths.length < edges) {
      const room = network.relation.length;
      this.#edgeColours = new Uint8Array(4 * room);
      this.#widths = new Float32Array(room);
    }
    const near = this.#nodes(network, look);
    this.#edges(network, look, near);
    return {
      nodes,
      xy: network.xy,
      nodeColours: this.#nodeColours,
      radii: this.#radii,
      edges,
      ends: network.ends,
      edgeColours: this.#edgeColours,
      widths: this.#widths,
    };
  }

  /** Writes the nodes; answers which of them stand out, null when none is to. */
  #nodes(network: Network, look: Look): Uint8Array | null {
    const { shownNodes, degrees, rgb, selected, pathNodes, theme } = look;
    const bright = brightOf(network, look);
    const [red, green, blue] = theme.chosen;
    for (let node = 0; node < network.nodes; node += 1) {
      const at = 4 * node;
      const isPath = pathNodes.has(node);
      const colour = isPath && !rgb ? theme.path : null;
      this.#nodeColours[at] = colour ? colour[0] : rgb ? (rgb[3 * node] as number) : red;
      this.#nodeColours[at + 1] = colour ? colour[1] : rgb ? (rgb[3 * node + 1] as number) : green;
      this.#nodeColours[at + 2] = colour ? colour[2] : rgb ? (rgb[3 * node + 2] as number) : blue;
      this.#nodeColours[at + 3] = shownNodes[node] ? (bright && !bright[node] ? 120 : 255) : 0;
      const degree = degrees[node] as number;
      const strong = node === selected || isPath || network.has(node, START);
      this.#radii[node] = Math.min(LOOK.radiusMax, LOOK.radius + 0.8 * Math.sqrt(degree)) + (strong ? 2 : 0);
      this.importance[node] = degree + (strong ? 1e6 : 0) - (bright && !bright[node] ? 1e5 : 0);
    }
    return bright;
  }

  #edges(network: Network, { shownEdges, selected, pathEdges, theme }: Look, bright: Uint8Array | null): void {
    const { ends, relation, weight, edges } = network;
    let heaviest = 0;
    let count = 0;
    for (let edge = 0; edge < edges; edge += 1) {
      if (!shownEdges[edge]) continue;
      count += 1;
      if (relation[edge] !== NEAREST && (weight[edge] as number) > heaviest) heaviest = weight[edge] as number;
    }
    // Many thin lines on one another are as dark as a few strong ones.
    const usual = Math.max(36, Math.min(170, Math.round(5200 / Math.sqrt(count + 1))));
    for (let edge = 0; edge < edges; edge += 1) {
      const at = 4 * edge;
      if (!shownEdges[edge]) {
        this.#edgeColours[at + 3] = 0;
        continue;
      }
      const [source, target] = [ends[2 * edge] as number, ends[2 * edge + 1] as number];
      const isPath = pathEdges.has(edge);
      const isNear = relation[edge] === NEAREST;
      const touches = source === selected || target === selected;
      const [red, green, blue] = isPath ? theme.path : isNear ? theme.near : touches ? theme.chosen : theme.edge;
      this.#edgeColours[at] = red;
      this.#edgeColours[at + 1] = green;
      this.#edgeColours[at + 2] = blue;
      const isFaint = bright !== null && !isPath && !touches && !(bright[source] && bright[target]);
      this.#edgeColours[at + 3] = isPath || touches ? 230 : isNear ? 200 : isFaint ? usual >> 1 : usual;
      const share = isNear || heaviest <= 0 ? 0.5 : Math.max(0, weight[edge] as number) / heaviest;
      this.#widths[edge] = isPath ? LOOK.edgeStrong : LOOK.edge * (0.7 + share);
    }
  }
}

/** The nodes that stand out: the chosen one and its neighbours, and those of the path; null when nothing is chosen. */
function brightOf(network: Network, { selected, pathNodes, shownEdges }: Look): Uint8Array | null {
  if (selected < 0 && pathNodes.size === 0) return null;
  const bright = new Uint8Array(network.nodes);
  for (const node of pathNodes) bright[node] = 1;
  if (selected < 0) return bright;
  bright[selected] = 1;
  for (let edge = 0; edge < network.edges; edge += 1) {
    if (!shownEdges[edge]) continue;
    const [source, target] = [network.ends[2 * edge] as number, network.ends[2 * edge + 1] as number];
    if (source === selected) bright[target] = 1;
    if (target === selected) bright[source] = 1;
  }
  return bright;
}
