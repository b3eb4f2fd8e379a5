// Reads the vectors of a map: a bounded number of documents, page by page, as typed arrays.

import { MAP } from '../../compute/defaults.js';
import { fieldName, quoted } from '../../compute/describe.js';
import type { Collection, Document } from '../../data/types.js';

/** Documents with their vectors. */
export interface Sample {
  ids: string[];
  metadata: object[];
  /** One vector behind the other. */
  rows: Float32Array;
  dim: number;
  /** How many documents were read that have no vector. */
  without: number;
  /** Whether there may be more than was read. */
  isCut: boolean;
}

/** A search answers no more than so many. */
const K_MAX = 10_000;
/** Values that a sample is spread over at most. */
const VALUES_MAX = 60;

/** What is read. */
export interface SampleRequest {
  /** Only what it finds; '' for no filter. */
  filter: string;
  /** A field whose values all have their share; '' for what is stored first. */
  spread: string;
  most: number;
  dim: number;
}

/** Reads the documents; `told` hears how many have been read. */
export async function readSample(
  collection: Collection,
  { filter, spread, most, dim }: SampleRequest,
  told: (count: number) => void,
  signal: AbortSignal,
): Promise<Sample> {
  const room = Math.min(most, Math.floor(MAP.componentsMax / Math.max(1, dim)));
  const sample = new Growing(room, dim);
  if (spread !== '') return readSpread(collection, { filter, spread, most: room, dim }, sample, told, signal);
  if (filter.trim() !== '') {
    // One more than there is room for tells whether there are more; of as many as a search answers nobody knows.
    const k = Math.min(room + 1, K_MAX);
    const { hits } = await collection.search({ filter, k, with_vector: true, decay: 'none' }, { signal });
    for (const hit of hits.slice(0, room)) sample.add({ id: hit.id, metadata: hit.metadata, vector: hit.vector ?? null });
    return sample.done(hits.length === k);
  }
  let cursor: string | null = null;
  do {
    const limit = Math.min(MAP.page, room - sample.count);
    const page: { documents: Document[]; next: string | null } = await collection.page({ limit, cursor }, { signal });
    for (const document of page.documents) sample.add(document);
    cursor = page.next;
    told(sample.count);
  } while (cursor !== null && sample.count < room);
  return sample.done(cursor !== null);
}

/** Of each frequent value of a field as many as its share of all: what is stored first is often of one kind. */
async function readSpread(
  collection: Collection,
  { filter, spread, most }: SampleRequest,
  sample: Growing,
  told: (count: number) => void,
  signal: AbortSignal,
): Promise<Sample> {
  const all = filter.trim() === '' ? [] : [`(${filter})`];
  const counted = { k: 1, facets: [{ field: spread, limit: VALUES_MAX }], ...(all.length > 0 ? { filter } : {}) };
  const { facets, total: found = 0 } = await collection.search(counted, { signal });
  const values = facets?.[0]?.values ?? [];
  const total = values.reduce((sum, { count }) => sum + count, 0);
  for (const { value, count } of values) {
    const k = Math.min(K_MAX, most - sample.count, Math.max(1, Math.round((most * count) / Math.max(total, most))));
    if (k < 1) break;
    const request = { filter: [...all, `${fieldName(spread)} = ${quoted(value)}`].join(' AND '), k, with_vector: true, decay: 'none' } as const;
    const { hits } = await collection.search(request, { signal });
    for (const hit of hits) sample.add({ id: hit.id, metadata: hit.metadata, vector: hit.vector ?? null });
    told(sample.count);
  }
  // A document of several values is counted for each of them, and one without the field for none.
  return sample.done(found > sample.count);
}

/** A sample with more documents: those of some ids that it does not hold yet. */
export async function withIds(collection: Collection, sample: Sample, ids: readonly string[], signal: AbortSignal): Promise<Sample> {
  const held = new Set(sample.ids);
  const missing = ids.filter((id) => !held.has(id));
  if (missing.length === 0) return sample;
  const documents = (await collection.getMany(missing, { signal })).filter((document) => document?.vector?.length === sample.dim);
  const rows = new Float32Array(sample.rows.length + documents.length * sample.dim);
  rows.set(sample.rows);
  for (const [at, document] of documents.entries()) rows.set(document?.vector ?? [], sample.rows.length + at * sample.dim);
  return {
    ...sample,
    ids: [...sample.ids, ...documents.map((document) => (document as Document).id)],
    metadata: [...sample.metadata, ...documents.map((document) => (document as Document).metadata)],
    rows,
  };
}

class Growing {
  readonly #dim: number;
  readonly #ids: string[] = [];
  /** A document with several values of a field is found for each. */
  readonly #known = new Set<string>();
  readonly #metadata: object[] = [];
  #rows: Float32Array;
  #without = 0;

  constructor(room: number, dim: number) {
    this.#dim = dim;
    this.#rows = new Float32Array(room * dim);
  }

  /** How many documents were read, those without a vector too: they are paid for as well. */
  get count(): number {
    return this.#ids.length + this.#without;
  }

  add({ id, metadata, vector }: Document): void {
    if (this.#known.has(id)) return;
    this.#known.add(id);
    if (vector?.length !== this.#dim) {
      this.#without += 1;
      return;
    }
    this.#rows.set(vector, this.#ids.length * this.#dim);
    this.#ids.push(id);
    this.#metadata.push(metadata);
  }

  done(isCut: boolean): Sample {
    const rows = this.#rows.slice(0, this.#ids.length * this.#dim);
    return { ids: this.#ids, metadata: this.#metadata, rows, dim: this.#dim, without: this.#without, isCut };
  }
}
