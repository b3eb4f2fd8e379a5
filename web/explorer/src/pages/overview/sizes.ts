// What a collection takes, from its figures: pure functions.

import type { CollectionFigures, CollectionStats } from '../../data/types.js';

/** Kinds of blobs in the order in which they are told, with what is in them. */
export const KINDS: Readonly<Record<string, string>> = {
  rows: 'documents and vectors',
  codes: 'int8 codes',
  bits: 'bit codes',
  pq: 'product codes',
  opq: 'optimised product codes',
  links: 'links of the index',
  text: 'words',
  columns: 'fields for filters',
  edges: 'edges',
  ends: 'ends of edges',
  log: 'log',
};

/** What a collection takes on the disk, by kind, the largest first. */
export interface Sizes {
  total: number;
  parts: { kind: string; bytes: number }[];
}

export function sizesOf(figures: CollectionFigures): Sizes {
  const sums = new Map<string, number>([['log', figures.logs.reduce((sum, log) => sum + log.bytes, 0)]]);
  for (const { bytes } of figures.segments) {
    for (const [kind, size] of Object.entries(bytes)) sums.set(kind, (sums.get(kind) ?? 0) + size);
  }
  const parts = [...sums].map(([kind, bytes]) => ({ kind, bytes })).filter(({ bytes }) => bytes > 0);
  parts.sort((a, b) => b.bytes - a.bytes);
  return { total: parts.reduce((sum, { bytes }) => sum + bytes, 0), parts };
}

/** The figures of a collection; null while they are not known, or when it is damaged. */
export function figuresOf(stats: readonly CollectionStats[] | null, name: string): CollectionFigures | null {
  const found = stats?.find((one) => one.name === name);
  return found && !('error' in found) ? found : null;
}
