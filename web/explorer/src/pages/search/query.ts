// What is asked, as the page holds it, as it stands in the address, and as the request that it becomes. Pure functions.

import type { AddressState } from '../../app/address.js';
import type { CollectionInfo, Expansion, SearchRequest } from '../../data/types.js';

/** How far the scores of the best hits go along the graph. */
export interface Expand {
  /** Along these; none for all. */
  relations: readonly string[];
  direction: (typeof DIRECTIONS)[number];
  /** How many edges away. */
  depth: number;
  /** The share of a score that an edge leaves, 0 to 1. */
  damping: number;
  /** How many of the best hits lend their scores. */
  hits: number;
}

/** What decides the order of the results beside what is looked for: two of these can be compared. */
export interface Settings {
  /** Share of the vector part, 0 to 1. */
  alpha: number;
  k: number;
  /** How widely an index searches; null for the engine's default. */
  ef: number | null;
  /** Fuse by reciprocal rank with this k; null to fuse by `alpha`. */
  rrf: number | null;
  exact: boolean;
  fuzzy: boolean;
  /** What hits are linked to joins them; null where it does not. */
  expand: Expand | null;
}

/** All of what is asked. */
export interface Query {
  text: string;
  /** A vector as it was typed. */
  vector: string;
  /** The id of a document whose vector is looked for. */
  like: string;
  filter: string;
  facets: readonly string[];
  trace: boolean;
  /** What was there then, RFC 3339; '' for now. */
  asOf: string;
  settings: Settings;
  /** The settings to compare with; null for none. */
  other: Settings | null;
}

export const DEFAULTS: Settings = { alpha: 0.5, k: 10, ef: null, rrf: null, exact: false, fuzzy: false, expand: null };
export const DIRECTIONS = ['out', 'in', 'both'] as const;
/** As the engine has it where nothing is said. */
export const EXPAND: Expand = { relations: [], direction: 'out', depth: 1, damping: 0.5, hits: 10 };
export const EXPAND_MAX = { depth: 6, hits: 1000 };
export const K_MAX = 100;
export const EF_MAX = 10_000;
export const RRF_MAX = 10_000;

/** Reads an address. */
export function parseQuery(address: AddressState): Query {
  const b = address['b'];
  return {
    text: address['q'] ?? '',
    vector: address['vector'] ?? '',
    like: address['like'] ?? '',
    filter: address['filter'] ?? '',
    facets: (address['facets'] ?? '').split(',').filter(Boolean),
    trace: address['trace'] === '1',
    asOf: address['as_of'] ?? '',
    settings: parseSettings(address),
    other: b === undefined ? null : parseSettings(Object.fromEntries(new URLSearchParams(b))),
  };
}

/** Writes it; what is as at the start is left out. */
export function formatQuery(query: Query): AddressState {
  const b = query.other && (new URLSearchParams(given(formatSettings(query.other))).toString() || 'same');
  return {
    q: query.text,
    vector: query.vector,
    like: query.like,
    filter: query.filter,
    facets: query.facets.join(','),
    trace: query.trace ? '1' : '',
    as_of: query.asOf,
    b: b ?? '',
    ...formatSettings(query.settings),
  };
}

function parseSettings(address: AddressState): Settings {
  return {
    alpha: within(address['alpha'], 0, 1) ?? DEFAULTS.alpha,
    k: whole(address['k'], K_MAX) ?? DEFAULTS.k,
    ef: whole(address['ef'], EF_MAX),
    rrf: whole(address['rrf'], RRF_MAX),
    exact: address['exact'] === '1',
    fuzzy: address['fuzzy'] === '1',
    expand: parseExpand(address['expand']),
  };
}

/** An address within the address, as a relation may have any letter. */
function parseExpand(text: string | undefined): Expand | null {
  if (text === undefined || text === '') return null;
  const parts = new URLSearchParams(text);
  const given = (name: string) => parts.get(name) ?? undefined;
  return {
    relations: parts.getAll('relation').filter(Boolean),
    direction: DIRECTIONS.find((one) => one === given('direction')) ?? EXPAND.direction,
    depth: whole(given('depth'), EXPAND_MAX.depth) ?? EXPAND.depth,
    damping: within(given('damping'), 0, 1) ?? EXPAND.damping,
    hits: whole(given('hits'), EXPAND_MAX.hits) ?? EXPAND.hits,
  };
}

function formatExpand(expand: Expand | null): string {
  if (!expand) return '';
  const parts = new URLSearchParams(expand.relations.map((relation) => ['relation', relation]));
  for (const name of ['direction', 'depth', 'damping', 'hits'] as const) {
    if (expand[name] !== EXPAND[name]) parts.set(name, String(expand[name]));
  }
  return parts.toString() || 'neighbours';
}

/** What of it is not as the engine has it anyway. */
function expansionOf(expand: Expand): Expansion {
  return {
    ...(expand.relations.length > 0 && { relations: expand.relations }),
    ...(expand.direction !== EXPAND.direction && { direction: expand.direction }),
    ...(expand.depth !== EXPAND.depth && { depth: expand.depth }),
    ...(expand.damping !== EXPAND.damping && { damping: expand.damping }),
    ...(expand.hits !== EXPAND.hits && { hits: expand.hits }),
  };
}

function formatSettings(settings: Settings): AddressState {
  const { alpha, k, ef, rrf, exact, fuzzy, expand } = settings;
  return {
    alpha: alpha === DEFAULTS.alpha ? '' : String(alpha),
    k: k === DEFAULTS.k ? '' : String(k),
    ef: String(ef ?? ''),
    rrf: String(rrf ?? ''),
    exact: exact ? '1' : '',
    fuzzy: fuzzy ? '1' : '',
    expand: formatExpand(expand),
  };
}

const given = (state: AddressState): Record<string, string> =>
  Object.fromEntries(Object.entries(state).filter(([, value]) => value !== ''));

/** A number between two others; null for what is none. */
export function within(text: string | undefined, least: number, most: number): number | null {
  const number = Number.parseFloat(text ?? '');
  return Number.isFinite(number) ? Math.min(most, Math.max(least, number)) : null;
}

/** A whole number from 1 on; null for what is none. */
export function whole(text: string | undefined, most: number): number | null {
  const number = within(text, 1, most);
  return number === null ? null : Math.round(number);
}

/** Which sides a query has: the vector's, the words'. */
export interface Sides {
  vector: boolean;
  words: boolean;
}

export function sidesOf(query: Query, info: CollectionInfo, vector: readonly number[] | Float32Array | undefined): Sides {
  const hasText = query.text.trim() !== '';
  return {
    words: info.language !== null && hasText,
    vector: vector !== undefined || (info.embedder !== null && hasText),
  };
}

/** The vector of a text; an error with the code `invalid_vector` for what is none. */
export function parseVector(text: string): number[] | undefined {
  if (text.trim() === '') return undefined;
  let vector: unknown;
  try {
    vector = JSON.parse(text);
  } catch {
    vector = null;
  }
  if (Array.isArray(vector) && vector.length > 0 && vector.every((x) => typeof x === 'number')) return vector as number[];
  throw Object.assign(new Error('this is not a JSON array of numbers, such as [0.1, -0.2]'), { code: 'invalid_vector' });
}

/** The request for some settings. */
export function requestOf(query: Query, settings: Settings, sides: Sides, vector: readonly number[] | Float32Array | undefined): SearchRequest {
  const request: SearchRequest = { k: settings.k };
  if (sides.words || (sides.vector && vector === undefined)) request.text = query.text.trim();
  if (vector !== undefined) request.vector = vector;
  if (query.filter.trim() !== '') request.filter = query.filter;
  if (sides.words && sides.vector) {
    if (settings.rrf === null) request.alpha = settings.alpha;
    else request.rrf_k = settings.rrf;
  }
  if (sides.vector && settings.ef !== null) request.ef = settings.ef;
  if (sides.vector && settings.exact) request.exact = true;
  if (sides.words && settings.fuzzy) request.fuzzy = true;
  // A filter alone scores nothing that could be lent.
  if (settings.expand && (sides.words || sides.vector)) request.expand = expansionOf(settings.expand);
  if (sides.words) request.highlight = true;
  if (sides.words || sides.vector || query.filter.trim() !== '') request.explain = true;
  if (sides.vector && query.trace) request.trace = true;
  if (query.asOf !== '') request.as_of = query.asOf;
  if (query.facets.length > 0) request.facets = [...query.facets];
  return request;
}

/** Settings in a few words. */
export function describeSettings(settings: Settings, sides: Sides): string {
  const parts = [
    sides.words && sides.vector && (settings.rrf === null ? `${Math.round(100 * settings.alpha)} % meaning` : `reciprocal rank, k ${settings.rrf}`),
    sides.vector && settings.ef !== null && `ef ${settings.ef}`,
    sides.vector && settings.exact && 'exact',
    sides.words && settings.fuzzy && 'with typos',
    settings.expand && `along ${settings.expand.relations.join(', ') || 'all edges'} of the best ${settings.expand.hits}`,
    `${settings.k} results`,
  ];
  return parts.filter(Boolean).join(', ');
}
