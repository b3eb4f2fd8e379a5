// Copies a collection of a server into a database of this browser: whole, as the file that the server exports, or the
// documents that some filters let through, whose texts are embedded here, and the edges between them.

import { aboutEmbedder, keepEmbedder, keptHash } from './embedder.js';
import { bytesOf } from './http.js';
import { problemOf } from './problem.js';
import { type Source, browserSource, openSource } from './sources.js';
import type { Collection, CollectionConfig, CollectionInfo, Database, Edge, NewDocument } from './types.js';
import { replaceNoted } from './unfinished.js';

/** What is copied. */
export interface Choice {
  info: CollectionInfo;
  isWhole: boolean;
  /** A part: what any of these lets through; none for the first documents. */
  filters: readonly string[];
  most: number;
}

export type Phase = 'embedder' | 'file' | 'documents' | 'edges' | 'importing' | 'storing' | 'sealing' | 'indexing';

export interface Progress {
  phase: Phase;
  done: number;
  /** 0 when it is not known. */
  total: number;
}

/** How it is done. */
export interface CopyOptions {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

/** Documents fetched at once, the most that one filter can answer, documents and edges stored at once, and around how many is looked. */
export const COPY = { page: 2_000, answerMax: 10_000, batch: 500, most: 10_000, roots: 1_000, aroundMax: 100_000, edges: 10_000 };

interface Work extends CopyOptions {
  from: Collection;
  info: CollectionInfo;
}

/**
 * Copies into the database of a name. What is there under the collection's name is replaced once all is downloaded. Where it fails
 * or is cancelled, nothing of it stays, but that indexing goes on when somebody asks for it.
 */
export async function copyHere(source: Source, collection: Collection, name: string, choice: Choice, options: CopyOptions): Promise<CollectionInfo> {
  // Without this a browser that needs room may clear what is copied; it may say no.
  navigator.storage?.persist?.().catch(() => {});
  if (choice.info.embedder !== null) await bringEmbedder(source, name, options);
  // The engine of another tab may have no embedder, or another one.
  const database = await openSource(browserSource(name), { isAlone: true });
  try {
    const work = { ...options, from: collection, info: choice.info };
    const content = choice.isWhole ? await downloadFile(work) : await downloadPart(work, choice);
    const what = { database: name, collection: choice.info.name };
    const copied = await replaceNoted(database, what, options.signal, () => store(database, work, content));
    await indexed(copied, options).catch((error: unknown) => {
      if (!options.signal.aborted) throw error;
    });
    return await copied.info();
  } finally {
    await database.close();
  }
}

/** The embedder that the server has, as what is copied from there needs it. */
async function bringEmbedder(source: Source, name: string, { signal, onProgress }: CopyOptions): Promise<void> {
  const about = await aboutEmbedder(source, signal);
  const kept = await keptHash(name);
  if (kept === about.hash) return;
  if (kept !== undefined) await refuseOther(name);
  await keepEmbedder(source, about, name, { signal, onBytes: (done, total) => onProgress({ phase: 'embedder', done, total }) });
}

/** The texts of what is there were embedded by another one, and could not be searched by meaning any more. */
async function refuseOther(name: string): Promise<void> {
  const database = await openSource(browserSource(name), { isAlone: true });
  try {
    const needs = (await database.collections()).filter(({ embedder }) => embedder !== null).map((info) => info.name);
    if (needs.length === 0) return;
    throw Object.assign(new Error(`the server has another embedder now than the one of ${needs.join(', ')} in ${name}`), {
      code: 'other_embedder', hint: 'copy into a database of another name, or drop what is in this one first',
    });
  } finally {
    await database.close();
  }
}

async function store(database: Database, work: Work, content: Uint8Array | Part): Promise<Collection> {
  const { info, onProgress, signal } = work;
  if (content instanceof Uint8Array) {
    onProgress({ phase: 'importing', done: 0, total: 0 });
    await database.import(info.name, content);
  } else {
    await storePart(database, work, content);
  }
  const copied = database.collection(info.name);
  signal.throwIfAborted();
  onProgress({ phase: 'sealing', done: 0, total: 0 });
  await copied.seal({ signal });
  await database.flush();
  return copied;
}

async function downloadFile({ from, onProgress, signal }: Work): Promise<Uint8Array> {
  // The server takes a while to write it.
  onProgress({ phase: 'file', done: 0, total: 0 });
  return bytesOf(await from.exportStream({ signal }), (done) => onProgress({ phase: 'file', done, total: 0 }));
}

interface Part {
  documents: NewDocument[];
  edges: Edge[];
}

/** The documents, each once however many of the filters let it through. */
async function downloadPart(work: Work, { filters, most }: Choice): Promise<Part> {
  const { onProgress } = work;
  const found = new Map<string, NewDocument>();
  const report = () => onProgress({ phase: 'documents', done: found.size, total: 0 });
  report();
  for (const filter of filters.length > 0 ? filters : ['']) {
    let offset = 0;
    let isLast = false;
    while (!isLast && found.size < most && offset < COPY.answerMax) {
      const k = Math.min(COPY.page, COPY.answerMax - offset, most - found.size);
      const hits = await page(work, filter, k, offset);
      for (const hit of hits) found.set(hit.id, hit);
      report();
      offset += hits.length;
      isLast = hits.length < k;
    }
  }
  return { documents: [...found.values()], edges: await edgesBetween(work, [...found.keys()]) };
}

async function page({ from, info, signal }: Work, filter: string, k: number, offset: number): Promise<NewDocument[]> {
  // Without an embedder there is nothing here that could make the vectors.
  const vectors = info.embedder === null && info.dim !== null ? { with_vector: true } : {};
  const condition = filter === '' ? {} : { filter };
  try {
    const { hits } = await from.search({ k, offset, decay: 'none', ...condition, ...vectors }, { signal });
    return hits.map(({ id, metadata, vector }) => (vector ? { id, metadata, vector } : { id, metadata }));
  } catch (error) {
    throw problemOf(error).code === 'invalid_filter' ? Object.assign(error as Error, { filter }) : error;
  }
}

/** The edges that lead from one of the documents to another. */
async function edgesBetween({ from, onProgress, signal }: Work, all: readonly string[]): Promise<Edge[]> {
  const copied = new Set(all);
  const edges: Edge[] = [];
  const groups = inGroups(all, COPY.roots);
  let done = 0;
  for (let ids = groups.pop(); ids; ids = groups.pop()) {
    onProgress({ phase: 'edges', done, total: all.length });
    const around = await from.graph.subgraph({ ids, depth: 1, limit: COPY.aroundMax }, { signal });
    if (around.truncated && ids.length > 1) {
      groups.push(...inGroups(ids, Math.ceil(ids.length / 2)));
      continue;
    }
    done += ids.length;
    edges.push(...around.edges.filter(({ target }) => copied.has(target)));
  }
  return edges;
}

async function storePart(database: Database, { info, onProgress, signal }: Work, { documents, edges }: Part): Promise<void> {
  const collection = await database.create(info.name, configOf(info));
  for (const [at, batch] of inGroups(documents, COPY.batch).entries()) {
    signal.throwIfAborted();
    onProgress({ phase: 'storing', done: at * COPY.batch, total: documents.length });
    await collection.upsertMany(batch);
  }
  onProgress({ phase: 'storing', done: documents.length, total: documents.length });
  for (const batch of inGroups(edges, COPY.edges)) {
    signal.throwIfAborted();
    await collection.graph.link(batch.map(({ source, relation, target, weight, properties }) =>
      ({ source, relation, target, weight, ...(properties && { properties }) })));
  }
}

/** Gives every segment an index. It can be searched before, only not as quickly. */
async function indexed(collection: Collection, { onProgress, signal }: CopyOptions): Promise<void> {
  for (;;) {
    const { dim, segments, indexed: done } = await collection.info();
    if (dim === null || done >= segments) return;
    onProgress({ phase: 'indexing', done, total: segments });
    if (!(await collection.index({ signal }))) return;
  }
}

function inGroups<T>(all: readonly T[], size: number): T[][] {
  const groups: T[][] = [];
  for (let at = 0; at < all.length; at += size) groups.push(all.slice(at, at + size));
  return groups;
}

/** How a collection like this one is made. */
function configOf(info: CollectionInfo): CollectionConfig {
  const { metric, dim, language, fields, languages, k1, b, weights, embedder, m, ef_construction, stored, codes } = info;
  const text = language !== null && {
    text: { language, ...(fields && { fields }), ...(languages && { languages }), ...(k1 !== null && { k1 }), ...(b !== null && { b }), ...(weights && { weights }) },
  };
  return { metric, m, ef_construction, stored, codes, ...(dim !== null && { dim }), ...text, ...(embedder !== null && { embedder }) };
}
