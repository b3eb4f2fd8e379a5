// What a search asks for and answers.

import type { Connections, Expansion, GraphFilter } from './types-graph.js';
import type { JsonObject, Time, Vector } from './types.js';

/**
 * A filter: text of the filter language, or the same as a tree, which needs no quotes.
 *
 * ```ts
 * const text: Filter = "year >= 1990 AND lang IN ('en', 'it')";
 * const tree: Filter = {
 *   and: [
 *     { field: 'year', op: '>=', value: 1990 },
 *     { field: 'lang', op: 'in', value: ['en', 'it'] },
 *   ],
 * };
 * ```
 */
export type Filter<Metadata extends object = JsonObject> = string | FilterTree<Metadata>;

/** A filter as a tree: all of some, any of some, not this, or one condition. No list may be empty. */
export type FilterTree<Metadata extends object = JsonObject> =
  | { and: FilterTree<Metadata>[] }
  | { or: FilterTree<Metadata>[] }
  | { not: FilterTree<Metadata> }
  | FilterCondition<Metadata>;

/** The path of a field: one of the metadata's own, or what lies below one. */
export type FieldOf<Metadata extends object = JsonObject> = string extends keyof Metadata
  ? string
  : (keyof Metadata & string) | `${keyof Metadata & string}.${string}`;

/**
 * A condition on one field; `a.b` is field `b` of object `a`.
 *
 * `words` scores documents and excludes none, as `CONTAINS(field, words)` does; under `or` and `not` it is `matches`.
 */
export type FilterCondition<Metadata extends object = JsonObject> =
  | { field: FieldOf<Metadata>; op: '=' | '==' | '!=' | '<>' | 'contains' | 'not contains'; value: FilterValue }
  | { field: FieldOf<Metadata>; op: '<' | '<=' | '>' | '>='; value: FilterBound }
  | { field: FieldOf<Metadata>; op: 'in' | 'not in' | 'any' | 'not any' | 'all' | 'not all'; value: FilterValue[] }
  | { field: FieldOf<Metadata>; op: 'between' | 'not between'; value: [low: FilterBound, high: FilterBound] }
  | { field: FieldOf<Metadata>; op: 'like' | 'not like' | 'ilike' | 'not ilike'; value: string }
  | { field: FieldOf<Metadata>; op: 'is null' | 'is not null' | 'is empty' | 'is not empty' | 'exists' }
  | { field: FieldOf<Metadata>; op: 'matches' | 'words'; value: string };

/**
 * What a range can end at: a number, text, or a date such as `2024-05-01T10:00:00+02:00`, which is compared by the moment with
 * text that is a date, too.
 */
export type FilterBound = number | string | { date: string | Date } | { unquoted: string };

/** What a field is compared with; `unquoted` is for a spelling that JSON has not, such as `05`. */
export type FilterValue = FilterBound | boolean | null;

/** A search: by vector, by words, by both, or by filter alone. */
export interface SearchRequest<Metadata extends object = JsonObject> {
  /** The vector part. */
  vector?: Vector | null | undefined;
  /** The words part, and the vector part too when the collection has an embedder and no vector is given. */
  text?: string | null | undefined;
  /** Take `text` as it stands; else `"a phrase"`, `+must`, `-must not`, `field:word`, `begun*` and `typo~` mean what they say. */
  plain?: boolean | undefined;
  /** Look for words with a typo, too. */
  fuzzy?: boolean | undefined;
  /** True to show where the words stand: a passage of each text, of about `length` bytes (160). */
  highlight?: boolean | { fields?: string[]; length?: number } | undefined;
  /** What was there then; left out, what is there now. `history_gone` when that is no longer kept. */
  as_of?: Time | undefined;
  /** What may be found, for example `year >= 1990 AND (lang = 'en' OR lang = 'it')`, or the same as a tree. */
  filter?: Filter<Metadata> | null | undefined;
  /** How many results; default 10. */
  k?: number | undefined;
  /** How many of the best to leave out; default 0. */
  offset?: number | undefined;
  /**
   * How many of the best of each list are fused, grouped, sorted or expanded; default 200, or as many as results are wanted, ten times
   * as many with `group_by`. Words or a filter alone are sorted whole, and so are their groups.
   */
  candidates?: number | undefined;
  /** Leave out what scores less; not with `sort`. */
  min_score?: number | undefined;
  /**
   * What is old counts less: all candidates are ranked so before the best are taken. Not with `sort`. Left out, as the
   * collection says, where something scores and nothing is sorted.
   */
  decay?: Decay | 'none' | undefined;
  /** At most one result, or `size`, of each value of a field. */
  group_by?: FieldOf<Metadata> | { field: FieldOf<Metadata>; size?: number } | undefined;
  /** The order of the results; left out, the best first. Documents without a value come last. */
  sort?: (FieldOf<Metadata> | { field: FieldOf<Metadata>; descending?: boolean })[] | undefined;
  /**
   * Fields whose values are counted in all that can be found: the documents that match words when those are asked for alone,
   * else all that the filter accepts.
   */
  facets?: (FieldOf<Metadata> | FacetRequest<Metadata>)[] | undefined;
  /** How widely an index searches. */
  ef?: number | undefined;
  /** Share of the vector part, 0 to 1; default 0.5. */
  alpha?: number | undefined;
  /** Fuse by reciprocal rank with this k instead of by `alpha`. */
  rrf_k?: number | undefined;
  /** How many candidates of an index are compared with their stored vectors; default 64, or twice the results; more for `bits`, `pq` and `opq`. */
  rerank?: number | undefined;
  /** End the search of an index once its best candidates have stayed the same for so many steps; default never. */
  patience?: number | undefined;
  /** Compare with every vector. */
  exact?: boolean | undefined;
  /** Tell how the nearest vectors were found. */
  trace?: boolean | undefined;
  /** Say of each result why it came, and how the filter was answered. */
  explain?: boolean | undefined;
  /** Return vectors too. */
  with_vector?: boolean | undefined;
  /** Only what is around some documents can be found, themselves included. */
  graph_filter?: GraphFilter;
  /** What the best hits are linked to joins them, with a share of their scores; `{}` for the neighbours. Not with `sort`. */
  expand?: Expansion;
  /** What results come with: what these paths of relations lead to, such as `parent.child`. */
  include_relations?: readonly string[];
  /** Whether that comes with the metadata of its documents. */
  hydrate_relations?: boolean;
}

/** How scores fall with age. */
export interface Decay {
  /** 2^(-age / h), 1 - age / h, all until h, or exp(-age / (h (1 + ln(1 + touches)))). */
  model: 'exponential' | 'linear' | 'step' | 'ebbinghaus';
  /** A duration such as `7d`; `0s` for no decay. */
  half_life: string;
  /** Half-lives by the text of a field, instead. */
  layers?: { field: string; half_lives: Record<string, string> };
  /** The field with a document's time, RFC 3339 or seconds since 1970; left out, when it was stored. A later touch counts. */
  time_field?: string;
  /** The field that is true for documents that keep their score. */
  pinned_field?: string;
}

/** A field whose values are counted, or ranges of them: numbers or text, `from` included and `to` not. */
export interface FacetRequest<Metadata extends object = JsonObject> {
  field: FieldOf<Metadata>;
  /** How many values, the most frequent first; default 10. */
  limit?: number;
  /** Count within these instead. */
  ranges?: { from?: number | string; to?: number | string }[];
}

/** The counts of a field: `values` and how many `distinct` ones there are, or `ranges`. */
export interface Facet {
  field: string;
  /** The most frequent first. */
  values?: { value: boolean | number | string; count: number }[];
  distinct?: number;
  /** In the order of the request. */
  ranges?: { from: number | string | null; to: number | string | null; count: number }[];
}

/** What a search answers. */
export interface SearchResult<Metadata extends object = JsonObject> {
  /** The best first. */
  hits: Hit<Metadata>[];
  /** What was odd about the query, for example a field in the filter that no document has. */
  warnings: string[];
  /** The counts of each field, when some were asked for. */
  facets?: Facet[];
  /** How many documents facets were counted in. */
  total?: number;
  /** Whether there is more around the hits than was looked at, with `expand`. */
  truncated?: boolean;
  /** How the nearest vectors were found, when asked for: of each segment, and of what is not sealed yet. */
  trace?: PartTrace[];
  /** How the filter was answered, when there is one and results are explained. */
  filter_plan?: FilterPlan;
}

/** How a filter was answered, as it was done. */
export interface FilterPlan {
  /** The filter as text. */
  filter: string;
  /** How many documents it accepts. */
  found: number;
  /** Each segment, and each piece of what is not sealed yet. */
  parts: PartFilterPlan[];
}

/** How a filter was answered in one part of a collection. */
export interface PartFilterPlan {
  /** A segment, or a piece of what is not sealed yet. */
  part: 'segment' | 'memtable';
  /** How many versions it holds. */
  documents: number;
  /** How many of them are there at the moment that is asked for. */
  live: number;
  /** The conditions of the filter in the order in which they were answered; those that come when none is left are not. */
  conditions: FilterStep[];
  /** How many documents the filter accepts. */
  found: number;
  /** How the nearest vectors were found among them; left out for a search without a vector. */
  vectors?: {
    plan: PartTrace['plan'];
    /** When the others were left out: first, on the way along links, or at the end. */
    filtered: 'before' | 'during' | 'after';
    /** How many distances were computed. */
    distances: number;
  };
}

/** One condition of a filter, when its turn came. */
export interface FilterStep {
  /** The condition as text; in a piece of what is not sealed yet the whole filter. */
  condition: string;
  /** How many versions were thought to fulfil it, from the lengths of sorted runs; null where documents were looked at one by one. */
  estimated: number | null;
  /** How many documents fulfilled it and the conditions before it. */
  left: number;
  /** What was looked at: runs of sorted values, posting lists, texts, or documents. Empty for a field that none has. */
  how: ('sorted' | 'postings' | 'texts' | 'documents')[];
}

/** How the nearest vectors of one part of a collection were found. */
export interface PartTrace {
  /** How many versions it holds. */
  documents: number;
  /** `exact`: all were compared; `codes`: the codes of all were, then the best; `links`: links were followed. */
  plan: 'exact' | 'codes' | 'links';
  /** How many distances were computed: the cost of the search on any machine. */
  distances: number;
  /** Of the documents that may be found, those whose neighbours were looked at, in order. */
  path: string[];
}

/** A result. */
export interface Hit<Metadata extends object = JsonObject> {
  /** The document's id. */
  id: string;
  /** Larger is better; what it means depends on the parts of the query. */
  score: number;
  /** The document's metadata. */
  metadata: Metadata;
  /** Its vector, when asked for and there is one. */
  vector?: Float32Array;
  /** Why it came, when asked for. */
  explanation?: Explanation;
  /** Where the words stand, when asked for: a passage of each text that has some of them. */
  highlights?: Highlight[];
  /** What it leads to, by path, with `include_relations`. */
  connections?: Connections<Metadata>;
}

/** A passage of a text. */
export interface Highlight {
  field: string;
  /** Pieces in turn: one without a match, which may be empty, one with, and so on; an ellipsis where the text is cut. */
  parts: string[];
}

/**
 * Why a result came. In f32 (`Math.fround`) its score is the sum of both contributions, or that of `graph` where it is there,
 * less `sum * (1 - factor)` with `decay`; 1 for a filter alone, which has none of them.
 */
export interface Explanation {
  /** The vector part; null when the document was not among the nearest. */
  vector: {
    distance: number;
    score: number;
    rank: number;
    /** The score on the scale of its list, 0 to 1, where lists were fused by `alpha`: `alpha` of it is the contribution. */
    normalised?: number;
    contribution: number;
  } | null;
  /** The words part; null when no word matched well enough. */
  words: {
    /** The sum of what the terms contribute, rounded once to f32. */
    score: number;
    rank: number;
    /** The score on the scale of its list, 0 to 1, where lists were fused by `alpha`: 1 - `alpha` of it is the contribution. */
    normalised?: number;
    contribution: number;
    terms: TermExplanation[];
  } | null;
  /**
   * The hit that lent its score, with `expand`, where that was more than the sum of both: at each of the `edges` that lead
   * from it here `abs(score) * (1 - damping)` was lost.
   */
  graph?: {
    hit: string;
    score: number;
    damping: number;
    edges: { source: string; relation: string; target: string }[];
    contribution: number;
  };
  /** The share of the sum that time left, what age was counted from, and how often the document was touched. */
  decay?: { factor: number; since: string; touches: number };
}

/** What one word of the query brought. */
export interface TermExplanation {
  /** The word as it is searched. */
  term: string;
  /** The field in which it stands. */
  field: string;
  /** How often it stands there. */
  tf: number;
  /** How many documents have it in this field. */
  df: number;
  /** How many documents have this field. */
  documents: number;
  /** Words of the field in this document. */
  length: number;
  /** Words of the field in a document on average. */
  average_length: number;
  /** How rare it is. */
  idf: number;
  /** How often it stands in the query, when more than once. */
  count?: number;
  /** Less than 1 for a term that is a typo away from the query's. */
  boost?: number;
  /** How much the field counts; left out when that is 1. */
  weight?: number;
  /** What it adds to the score. */
  contribution: number;
}
