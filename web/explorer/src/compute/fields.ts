// What a field says of each node or point, as numbers to colour with: a few groups, or a scale of numbers.

import type { Rgb } from './colours.js';
import { GROUPS, NOTHING, OTHERS, onScale } from './colours.js';

/** What one field says of all. */
export interface Painted {
  /** Red, green, blue of each. */
  rgb: Uint8Array;
  legend: Legend;
}

/** What the colours mean. */
export type Legend =
  | { kind: 'groups'; entries: { name: string; rgb: Rgb; count: number }[]; otherGroups: number }
  | { kind: 'scale'; from: number; to: number; missing: number };

/** Deepest path of a field that is offered, and how many are. */
const DEPTH_MAX = 3;
const FIELDS_MAX = 40;
/** Documents that are looked at for fields. */
const LOOKED_AT = 500;
/** A field of numbers with more values than this is a scale. */
const SCALE_FROM = 9;

/** The paths of fields with a value that can be coloured by, the most frequent first. */
export function fieldsOf(metadata: readonly (object | null | undefined)[]): string[] {
  const counts = new Map<string, number>();
  for (const one of metadata.slice(0, LOOKED_AT)) if (one) walk(one, '', 1, counts);
  const order = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return order.slice(0, FIELDS_MAX).map(([path]) => path);
}

function walk(value: object, before: string, depth: number, counts: Map<string, number>): void {
  for (const [name, inner] of Object.entries(value)) {
    // A dot in a name would be read as a path.
    if (name.includes('.')) continue;
    const path = before + name;
    if (scalarOf(inner) !== undefined) counts.set(path, (counts.get(path) ?? 0) + 1);
    else if (isObject(inner) && depth < DEPTH_MAX) walk(inner, `${path}.`, depth + 1, counts);
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The first scalar of a value; undefined when there is none. */
function scalarOf(value: unknown): string | number | boolean | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' || typeof first === 'number' || typeof first === 'boolean' ? first : undefined;
}

/** What a field of a document says: of a list its first. */
export function valueAt(metadata: object | null | undefined, path: string): string | number | boolean | undefined {
  let value: unknown = metadata;
  for (const name of path.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return scalarOf(value);
}

/** Colours by the values of a field. */
export function paint(values: readonly (string | number | boolean | undefined)[]): Painted {
  const numbers = values.filter((value) => typeof value === 'number');
  const present = values.reduce((sum: number, value) => sum + (value === undefined ? 0 : 1), 0);
  const isScale = numbers.length > 0 && numbers.length === present && new Set(numbers).size > SCALE_FROM;
  return isScale ? paintScale(values, numbers) : paintGroups(values.map((value) => (value === undefined ? undefined : String(value))));
}

function paintScale(values: readonly unknown[], numbers: number[]): Painted {
  const sorted = Float64Array.from(numbers).sort();
  // Few that are far from all others would leave one colour for the rest.
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  const [from, to] = at(0.02) < at(0.98) ? [at(0.02), at(0.98)] : [at(0), at(1)];
  const rgb = new Uint8Array(3 * values.length);
  for (const [index, value] of values.entries()) {
    rgb.set(typeof value === 'number' ? onScale((value - from) / (to - from || 1)) : NOTHING, 3 * index);
  }
  return { rgb, legend: { kind: 'scale', from, to, missing: values.length - numbers.length } };
}

/** Colours by group: the largest have one each, the others share one. */
export function paintGroups(values: readonly (string | undefined)[]): Painted {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  const order = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const own = new Map(order.slice(0, GROUPS.length).map(([name], at) => [name, GROUPS[at] as Rgb]));
  const rgb = new Uint8Array(3 * values.length);
  for (const [at, value] of values.entries()) {
    rgb.set(value === undefined ? NOTHING : (own.get(value) ?? OTHERS), 3 * at);
  }
  const entries = [...own].map(([name, colour]) => ({ name, rgb: colour, count: counts.get(name) as number }));
  const rest = order.slice(GROUPS.length);
  const shared = rest.reduce((sum, [, count]) => sum + count, 0);
  if (shared > 0) entries.push({ name: rest.length === 1 ? 'one other' : `${rest.length} others`, rgb: OTHERS, count: shared });
  const missing = values.length - [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (missing > 0) entries.push({ name: 'without a value', rgb: NOTHING, count: missing });
  return { rgb, legend: { kind: 'groups', entries, otherGroups: rest.length } };
}
