// Copies a collection of the server into a database of this tab: whole, as the file that the server exports, or the
// documents that some filters let through, whose texts are embedded here, and the edges between them. Runs in the
// engine's Worker.

import { COPY } from './settings.js';

/**
 * Copies what `choice` says: `{info, isWhole, filters, most}`, `info` as the server describes the collection. What is
 * there under its name is replaced. `onProgress({phase, done, total})`; total 0 when it is not known. When it fails
 * or is cancelled, nothing of it stays.
 */
export async function copyCollection({ server, database, choice, onProgress, signal }) {
  const { info, isWhole } = choice;
  const work = { server, database, info, onProgress, signal };
  const content = isWhole ? await downloadFile(work) : await downloadPart(work, choice);
  const known = await database.collections();
  if (known.some(({ name }) => name === info.name)) await database.drop(info.name);
  try {
    const collection = isWhole ? await importFile(work, content) : await storePart(work, content);
    await seal(work, collection);
    await database.flush();
    return await collection.info();
  } catch (error) {
    // What it failed with is worth more than what the clearing up fails with.
    await database.drop(info.name).catch(() => {});
    throw error;
  }
}

function downloadFile({ server, info, onProgress, signal }) {
  const onBytes = (done, total) => onProgress({ phase: 'file', done, total });
  // The server takes a while to write it.
  onBytes(0, 0);
  return server.collection(info.name).file({ signal, onBytes });
}

/** The documents, each once however many of the filters let it through. */
async function downloadPart({ server, info, onProgress, signal }, { filters, most }) {
  const found = new Map();
  const report = () => onProgress({ phase: 'documents', done: found.size, total: 0 });
  report();
  for (const filter of filters.length > 0 ? filters : ['']) {
    let offset = 0;
    let isLast = false;
    while (!isLast && found.size < most && offset < COPY.answerMax) {
      const k = Math.min(COPY.page, COPY.answerMax - offset, most - found.size);
      const hits = await page({ server, info, signal }, filter, { k, offset });
      for (const hit of hits) found.set(hit.id, hit);
      report();
      offset += hits.length;
      isLast = hits.length < k;
    }
  }
  const documents = [...found.values()];
  return { documents, edges: await edgesBetween({ server, info, onProgress, signal }, documents) };
}

/** The edges that lead from one of the documents to another. */
async function edgesBetween({ server, info, onProgress, signal }, documents) {
  const copied = new Set(documents.map(({ id }) => id));
  const edges = [];
  const groups = inGroups([...copied], COPY.roots);
  let done = 0;
  while (groups.length > 0) {
    onProgress({ phase: 'edges', done, total: copied.size });
    const ids = groups.pop();
    const around = await server.collection(info.name).subgraph({ ids, depth: 1, limit: COPY.aroundMax }, { signal });
    if (around.truncated && ids.length > 1) {
      groups.push(...inGroups(ids, Math.ceil(ids.length / 2)));
      continue;
    }
    done += ids.length;
    for (const { source, relation, target, weight, properties } of around.edges) {
      if (copied.has(target)) edges.push({ source, relation, target, weight, ...(properties && { properties }) });
    }
  }
  return edges;
}

function inGroups(all, size) {
  const groups = [];
  for (let at = 0; at < all.length; at += size) groups.push(all.slice(at, at + size));
  return groups;
}

async function page({ server, info, signal }, filter, request) {
  // Without an embedder there is nothing here that could make the vectors.
  const vectors = info.embedder === null && info.dim !== null ? { with_vector: true } : {};
  const condition = filter === '' ? {} : { filter };
  try {
    const { hits } = await server.collection(info.name).search({ ...request, ...condition, ...vectors }, { signal });
    return hits.map(({ id, metadata, vector }) => (vector ? { id, metadata, vector } : { id, metadata }));
  } catch (error) {
    throw error.code === 'invalid_filter' ? Object.assign(error, { filter }) : error;
  }
}

async function importFile({ database, info, onProgress, signal }, file) {
  signal.throwIfAborted();
  onProgress({ phase: 'importing', done: 0, total: 0 });
  return database.import(info.name, file);
}

async function storePart({ database, info, onProgress, signal }, { documents, edges }) {
  const collection = await database.create(info.name, configOf(info));
  for (let at = 0; at < documents.length; at += COPY.batch) {
    signal.throwIfAborted();
    onProgress({ phase: 'storing', done: at, total: documents.length });
    await collection.upsertMany(documents.slice(at, at + COPY.batch));
  }
  onProgress({ phase: 'storing', done: documents.length, total: documents.length });
  for (const batch of inGroups(edges, COPY.edges)) {
    signal.throwIfAborted();
    await collection.graph.link(batch);
  }
  return collection;
}

/** Makes a segment of what is not in one, so that the next step has all of it to index. */
async function seal({ onProgress, signal }, collection) {
  signal.throwIfAborted();
  const { memtable } = await collection.info();
  if (memtable === 0) return;
  onProgress({ phase: 'sealing', done: 0, total: memtable });
  await orAborted(collection.seal(), signal);
}

/**
 * Gives every segment an index. It can be searched before, only not as quickly: nobody has to wait for this.
 * `onProgress({done, total})` in segments.
 */
export async function indexCollection({ collection, onProgress }) {
  for (;;) {
    const { dim, segments, indexed } = await collection.info();
    onProgress({ done: indexed, total: segments });
    if (dim === null || indexed >= segments || !(await collection.index())) return;
  }
}

/** A job cannot be stopped, but it ends by itself when its collection is dropped: nobody has to wait for it. */
function orAborted(job, signal) {
  return new Promise((finish, fail) => {
    if (signal.aborted) fail(signal.reason);
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
    job.then(finish, fail);
  });
}

/** How a collection like this one is made. */
export function configOf(info) {
  const { metric, dim, language, fields, languages, k1, b, weights, embedder, m, ef_construction: efConstruction } = info;
  const config = { metric, m, ef_construction: efConstruction };
  if (dim !== null) config.dim = dim;
  if (language !== null) config.text = { language, fields, ...(languages && { languages }), k1, b, ...(weights && { weights }) };
  if (embedder !== null) config.embedder = embedder;
  return config;
}
