// What may come next in a filter at the cursor: fields, then operators, then values that were seen. Pure functions.

import { equals } from '../../compute/filters.js';

/** A field that documents have, and some of its values. */
export interface Field {
  path: string;
  values: readonly (string | number | boolean)[];
}

/** What may stand between two places of the text instead of what stands there. */
export interface Completion {
  from: number;
  to: number;
  options: string[];
}

const [FIELDS_MAX, VALUES_MAX, OPTIONS_MAX, VALUE_LENGTH_MAX, DEPTH_MAX] = [200, 20, 12, 40, 3];
const OPERATORS = ['= ', '!= ', '>= ', '<= ', 'IN (', 'BETWEEN ', 'LIKE ', 'CONTAINS ', 'MATCHES ', 'IS NULL', 'IS NOT NULL'];
const JOINS = ['AND ', 'OR '];

/** The fields of some documents, by path. */
export function fieldsOf(documents: readonly { metadata: object }[]): Field[] {
  const found = new Map<string, Set<string | number | boolean>>();
  for (const { metadata } of documents) gather(metadata, '', 1, found);
  return [...found].map(([path, values]) => ({ path, values: [...values].slice(0, VALUES_MAX) })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function gather(value: object, prefix: string, depth: number, found: Map<string, Set<string | number | boolean>>): void {
  for (const [name, inner] of Object.entries(value)) {
    const path = prefix + name;
    if (found.size >= FIELDS_MAX && !found.has(path)) continue;
    if (inner !== null && typeof inner === 'object' && !Array.isArray(inner)) {
      if (depth < DEPTH_MAX) gather(inner as object, `${path}.`, depth + 1, found);
      continue;
    }
    const seen = found.get(path) ?? new Set();
    found.set(path, seen);
    for (const one of Array.isArray(inner) ? inner.slice(0, VALUES_MAX) : [inner]) if (isShort(one) && seen.size < VALUES_MAX) seen.add(one);
  }
}

const isShort = (value: unknown): value is string | number | boolean =>
  typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && value.length <= VALUE_LENGTH_MAX);

/** What may come at the cursor; null inside of a quoted text. */
export function complete(text: string, cursor: number, fields: readonly Field[]): Completion | null {
  const before = text.slice(0, cursor);
  if ((before.match(/'/g)?.length ?? 0) % 2 === 1) return null;
  const word = /[^\s()=<>!,']*$/.exec(before)![0];
  const from = cursor - word.length;
  const lead = before.slice(0, from).trimEnd();
  const make = (options: string[]): Completion => ({ from, to: cursor, options: matching(options, word) });
  const value = /(\S+)\s*(?:=|!=|>=|<=|<|>)$/.exec(lead);
  if (value) return make(valuesOf(value[1]!, fields));
  if (lead === '' || /(?:\(|\b(?:and|or|not))$/i.test(lead)) return make(fields.map(({ path }) => `${nameOf(path)} `));
  const last = /[^\s()=<>!,']+$/.exec(lead)?.[0];
  if (last !== undefined && fields.some(({ path }) => nameOf(path) === last)) return make(OPERATORS);
  return make(JOINS);
}

function valuesOf(field: string, fields: readonly Field[]): string[] {
  const found = fields.find(({ path }) => nameOf(path) === field);
  return found?.values.map((value) => literal(found.path, value)) ?? [];
}

/** A field or a value as the filter language writes it. */
const nameOf = (path: string): string => equals(path, 0).slice(0, -' = 0'.length);
const literal = (path: string, value: string | number | boolean): string =>
  `${equals(path, value).slice(`${nameOf(path)} = `.length)} `;

function matching(options: string[], word: string): string[] {
  const wanted = word.toLowerCase();
  return options.filter((option) => option.toLowerCase().includes(wanted) && option.trim() !== word).slice(0, OPTIONS_MAX);
}
