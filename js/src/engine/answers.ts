// What engines answer, as plain objects: vectors cut into memory of their own, columns turned into hits.

import { encodeOptionalVector, encodeRequest } from '../encode.js';
import { invalidRequest } from '../errors.js';
import type {
  Connections,
  Document,
  Explanation,
  Facet,
  FilterPlan,
  Highlight,
  Hit,
  Page,
  PartTrace,
  SearchRequest,
  SearchResult,
} from '../types.js';
import { type Answer, vectorsOf } from './backend.js';

/** A search on its way to an engine. */
export type EncodedSearch = [json: string, vector: Float32Array | undefined];

/** The JSON of a search, and its vector, which may be the caller's. */
export function encodeSearch<M extends object>(request: SearchRequest<M>): EncodedSearch {
  if (typeof request !== 'object' || request === null) throw invalidRequest('an object', request);
  const { vector, ...rest } = request;
  return [encodeRequest(rest), encodeOptionalVector(vector)];
}

/** Hits by columns, as every engine answers them; explanations and highlights are there for all hits or for none. */
type Columns<M extends object> = [
  ids: string[],
  scores: number[],
  metadata: M[],
  explanations: Explanation[],
  warnings: string[],
  trace: PartTrace[] | null,
  facets: Facet[],
  total: number | null,
  highlights: Highlight[][],
  filterPlan: FilterPlan | null,
  connections: Connections<M>[],
  truncated: boolean | null,
];

/** A search's answer. */
export function decodeSearch<M extends object>(answer: Answer): SearchResult<M> {
  const columns = JSON.parse(answer.json) as Columns<M>;
  const [ids, scores, metadata, explanations, warnings, trace, facets, total, highlights, filterPlan, connections, truncated] =
    columns;
  const vectors = vectorsOf(answer);
  const hits = ids.map((id, i) => {
    const hit: Hit<M> = { id, score: scores[i]!, metadata: metadata[i]! };
    const [vector, explanation, highlighted] = [vectors[i], explanations[i], highlights[i]];
    if (vector) hit.vector = vector;
    if (explanation) hit.explanation = explanation;
    if (highlighted) hit.highlights = highlighted;
    const related = connections[i];
    if (related) hit.connections = related;
    return hit;
  });
  const result: SearchResult<M> = { hits, warnings };
  if (total !== null) {
    result.facets = facets;
    result.total = total;
  }
  if (truncated !== null) result.truncated = truncated;
  if (trace) result.trace = trace;
  if (filterPlan) result.filter_plan = filterPlan;
  return result;
}

/** Documents of an answer. */
export function decodeDocuments<M extends object>(answer: Answer): (Document<M> | null)[] {
  return attach(answer, JSON.parse(answer.json) as (Document<M> | null)[]);
}

/** A page of an answer. */
export function decodePage<M extends object>(answer: Answer): Page<M> {
  const page = JSON.parse(answer.json) as Page<M>;
  attach(answer, page.documents);
  return page;
}

/** Puts the vectors of an answer into its documents. */
export function attach<D extends { vector: Float32Array | null }>(answer: Answer, documents: (D | null)[]): (D | null)[] {
  const vectors = vectorsOf(answer);
  documents.forEach((document, i) => {
    if (document) document.vector = vectors[i] ?? null;
  });
  return documents;
}
