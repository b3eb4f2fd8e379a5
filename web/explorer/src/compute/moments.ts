// Moments as numbers of milliseconds, and which edges are there when. RFC 3339 has nanoseconds, a number a quarter of a
// microsecond: enough to draw with, and what is asked of an engine is rounded up so that the moment itself is included.

import type { Network } from './network.js';

/** Milliseconds since 1970 of RFC 3339 text; NaN for what is none. */
export function momentOf(text: string): number {
  const [, whole, fraction = '', zone] = /^([^.]+?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.exec(text) ?? [];
  if (whole === undefined || zone === undefined) return Number.NaN;
  return Date.parse(`${whole}${zone}`) + (fraction ? Number(`0${fraction}`) * 1000 : 0);
}

/** RFC 3339 text of a moment, to the microsecond at or after it. */
export function textOf(moment: number): string {
  const micros = Math.ceil(moment * 1000 - 1e-3);
  const seconds = Math.floor(micros / 1e6);
  const rest = String(micros - seconds * 1e6).padStart(6, '0');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${rest}Z`;
}

/** What is shown of a network. */
export interface Shown {
  /** By number of the relation: whether it is shown. */
  relations: Uint8Array;
  weightMin: number;
  weightMax: number;
  /** The moment; Infinity for now. */
  at: number;
}

/** Marks the edges that are shown and answers how many there are. */
export function shownEdges(network: Network, shown: Shown, mask: Uint8Array): number {
  const { relation, weight, begun, ended } = network;
  const { relations, weightMin, weightMax, at } = shown;
  const now = at === Number.POSITIVE_INFINITY;
  let count = 0;
  for (let edge = 0; edge < network.edges; edge += 1) {
    const end = ended[edge] as number;
    const there = now ? end === at : (begun[edge] as number) <= at && at < end;
    const heavy = weight[edge] as number;
    const is = there && relations[relation[edge] as number] !== 0 && heavy >= weightMin && heavy <= weightMax ? 1 : 0;
    mask[edge] = is;
    count += is;
  }
  return count;
}

/** Marks the nodes that have a shown edge, or one of the marks `always`, and answers how many there are. */
export function shownNodes(network: Network, edges: Uint8Array, always: number, mask: Uint8Array): number {
  mask.fill(0, 0, network.nodes);
  for (let edge = 0; edge < network.edges; edge += 1) {
    if (!edges[edge]) continue;
    mask[network.ends[2 * edge] as number] = 1;
    mask[network.ends[2 * edge + 1] as number] = 1;
  }
  let count = 0;
  for (let node = 0; node < network.nodes; node += 1) {
    if ((network.marks[node] as number) & always) mask[node] = 1;
    count += mask[node] as number;
  }
  return count;
}

/** When the edges of a network began and ended, in order and each moment once. */
export function changes(network: Network): Float64Array {
  const all: number[] = [];
  for (let edge = 0; edge < network.edges; edge += 1) {
    for (const moment of [network.begun[edge] as number, network.ended[edge] as number]) {
      if (Number.isFinite(moment)) all.push(moment);
    }
  }
  const sorted = Float64Array.from(all).sort();
  let count = 0;
  for (const moment of sorted) if (count === 0 || sorted[count - 1] !== moment) sorted[count++] = moment;
  return sorted.slice(0, count);
}

/** The stop before (`-1`) or after (`1`) a moment; the moment itself where there is none. */
export function nextChange(stops: Float64Array, at: number, way: -1 | 1): number {
  if (way > 0) return stops.find((stop) => stop > at) ?? at;
  return stops.findLast((stop) => stop < at) ?? at;
}

/** How many edges are there in each of `bins` equal spans from `from` to `to`, counted at its end. */
export function edgesOverTime(network: Network, from: number, to: number, bins: number): Uint32Array {
  const counts = new Int32Array(bins + 1);
  const span = to - from;
  // In the span whose end is the first at or after the moment; what was there before counts from the first on.
  const bin = (moment: number) =>
    moment <= from ? 0 : Math.min(bins, Math.max(0, Math.ceil(((moment - from) / span) * bins) - 1));
  for (let edge = 0; edge < network.edges; edge += 1) {
    const begun = network.begun[edge] as number;
    const ended = network.ended[edge] as number;
    if (!Number.isFinite(begun) || begun > to) continue;
    counts[bin(begun)]! += 1;
    if (ended <= to) counts[bin(ended)]! -= 1;
  }
  const over = new Uint32Array(bins);
  let there = 0;
  for (let at = 0; at < bins; at += 1) over[at] = there += counts[at] as number;
  return over;
}
