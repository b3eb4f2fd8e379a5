// What the graph page asks a collection, each with its bound. Nothing here draws or keeps anything.

import { GRAPH } from '../../compute/defaults.js';
import { textOf } from '../../compute/moments.js';
import type { EdgeIn, NodeIn } from '../../compute/network.js';
import { problemOf } from '../../data/problem.js';
import type { Collection, CollectionInfo, GraphPath } from '../../data/types.js';

export interface Answered {
  nodes: NodeIn[];
  edges: EdgeIn[];
  /** Whether there is more than was asked for. */
  truncated: boolean;
}

/** A document that was found by words. */
export interface Found {
  id: string;
  metadata: object;
}

/** From so many documents on, their metadata comes later, where it is needed. */
const HYDRATE_MAX = 5_000;
const FOUND = 8;
/** Longer text is no id. */
const ID_BYTES_MAX = 1024;

const asOf = (at: number) => (at === Number.POSITIVE_INFINITY ? {} : { as_of: textOf(at) });

/** All that is around some documents, and all edges between what was found. */
export async function around(
  collection: Collection,
  ids: readonly string[],
  { depth, limit, at }: { depth: number; limit: number; at: number },
  signal: AbortSignal,
): Promise<Answered> {
  const { graph } = collection;
  const most = Math.max(limit, ids.length);
  const wanted = { ids, depth, limit: most, direction: 'both', with_edges: false, ...asOf(at) } as const;
  const found = await hydrated(most <= HYDRATE_MAX, (hydrate) => graph.subgraph({ ...wanted, hydrate }, { signal }));
  const all = found.nodes.map(({ id }) => id);
  const inside = { ids: all, depth: 1, limit: all.length, direction: 'out', ...asOf(at) } as const;
  const between = await graph.subgraph(inside, { signal });
  // One answer tells so many edges and no more: where they are of several relations, each is asked for by itself.
  const relations = new Set(between.edges.map(({ relation }) => relation));
  const isCut = between.edges.length >= EDGES_TOLD && relations.size > 1;
  const parts = isCut ? await each([...relations], (relation) => graph.subgraph({ ...inside, relations: [relation] }, { signal })) : [between];
  // The edges that lead out of what was found have no room, which is no news.
  const cut = parts.some(({ edges }) => edges.length >= EDGES_TOLD);
  return { nodes: found.nodes, edges: parts.flatMap(({ edges }) => edges), truncated: found.truncated || cut };
}

/** Edges that one answer tells at most. */
const EDGES_TOLD = 100_000;

/** The edges of one document: those of a moment, or all versions. */
export async function edgesOf(
  collection: Collection,
  id: string,
  { history, at, limit = GRAPH.expand, direction = 'both' }: { history: boolean; at: number; limit?: number; direction?: 'both' | 'out' },
  signal: AbortSignal,
): Promise<Answered> {
  const request = { id, direction, limit, ...(history ? { history } : asOf(at)) } as const;
  return hydrated(true, (hydrate) => collection.graph.edges({ ...request, hydrate }, { signal }));
}

/** The documents of a moment are not always kept; their edges are. */
async function hydrated<T>(wanted: boolean, read: (hydrate: boolean) => Promise<T>): Promise<T> {
  try {
    return await read(wanted);
  } catch (error) {
    if (!wanted || problemOf(error).code !== 'history_gone') throw error;
    return read(false);
  }
}

/** The histories of many documents' edges, a few requests at a time. */
export async function historiesOf(collection: Collection, ids: readonly string[], signal: AbortSignal): Promise<Answered> {
  const parts = await each(ids, (id) => edgesOf(collection, id, { history: true, at: Number.POSITIVE_INFINITY }, signal));
  return {
    nodes: parts.flatMap(({ nodes }) => nodes),
    edges: parts.flatMap(({ edges }) => edges),
    truncated: parts.some(({ truncated }) => truncated),
  };
}

/** The metadata of documents, without their vectors. */
export async function metadataOf(collection: Collection, ids: readonly string[], signal: AbortSignal): Promise<NodeIn[]> {
  const parts: NodeIn[] = [];
  for (let from = 0; from < ids.length; from += HYDRATE_MAX) {
    const some = ids.slice(from, from + HYDRATE_MAX);
    // With room for these and no others, a subgraph is these.
    const request = { ids: some, limit: some.length, with_edges: false, hydrate: true };
    const { nodes } = await collection.graph.subgraph(request, { signal });
    for (const node of nodes) parts.push(node);
  }
  return parts;
}

/** A shortest path, whichever way its edges lead. */
export const pathBetween = (
  collection: Collection,
  source: string,
  target: string,
  { weighted, at }: { weighted: boolean; at: number },
  signal: AbortSignal,
): Promise<GraphPath> =>
  hydrated(true, (hydrate) =>
    collection.graph.path({ source, target, weighted, direction: 'both', hydrate, ...asOf(at) }, { signal }));

/** The nearest documents by vector; null when the document has none. */
export async function nearestTo(
  collection: Collection,
  id: string,
  at: number,
  signal: AbortSignal,
): Promise<{ id: string; score: number; metadata: object }[] | null> {
  const document = await collection.get(id, { ...asOf(at), signal });
  if (!document?.vector) return null;
  const { hits } = await collection.search({ vector: document.vector, k: GRAPH.neighbours + 1, decay: 'none', ...asOf(at) }, { signal });
  return hits.filter((hit) => hit.id !== id).slice(0, GRAPH.neighbours);
}

/** Documents for what somebody typed: the one of that id, then those that words find. */
export async function find(collection: Collection, info: CollectionInfo, text: string, signal: AbortSignal): Promise<Found[]> {
  const id = text.trim();
  if (id === '') return [];
  const isId = new TextEncoder().encode(id).length <= ID_BYTES_MAX;
  const asked = info.language !== null || info.embedder !== null;
  const [exact, { hits }] = await Promise.all([
    isId ? collection.get(id, { signal }) : null,
    asked ? collection.search({ text: id, plain: true, k: FOUND, decay: 'none' }, { signal }) : { hits: [] },
  ]);
  const rest = hits.filter((hit) => hit.id !== exact?.id).map((hit) => ({ id: hit.id, metadata: hit.metadata }));
  return exact ? [{ id: exact.id, metadata: exact.metadata }, ...rest] : rest;
}

/** The documents with the most edges. */
export async function mostLinked(collection: Collection, signal: AbortSignal): Promise<{ id: string; edges: number }[]> {
  const { degrees } = await collection.graph.components({ limit: FOUND }, { signal });
  return degrees;
}

/** Asks for each, a few at a time, and answers in order. */
async function each<T, R>(all: readonly T[], ask: (one: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  let next = 0;
  const work = async () => {
    while (next < all.length) {
      const at = next++;
      answers[at] = await ask(all[at] as T);
    }
  };
  await Promise.all(Array.from({ length: GRAPH.together }, work));
  return answers;
}
