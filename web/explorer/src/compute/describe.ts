// A filter that describes what a lasso holds: there is no condition on ids, so that it says which values of one field are
// typical of the selection, and how well that fits.

/** A filter, and how it fits the sample it was made from. */
export interface Description {
  filter: string;
  /** How many of the selection it finds, and how many others. */
  found: number;
  others: number;
}

/** Values that a filter names at most. */
const VALUES_MAX = 20;

/** Describes a selection by the values of a field: those that are in it more often than not, else the most frequent one. */
export function describe(
  field: string,
  values: readonly (string | number | boolean | undefined)[],
  selected: Uint8Array,
): Description | null {
  const counts = new Map<string | number | boolean, { inside: number; outside: number }>();
  for (const [at, value] of values.entries()) {
    if (value === undefined) continue;
    const count = counts.get(value) ?? { inside: 0, outside: 0 };
    counts.set(value, count);
    if (selected[at]) count.inside += 1;
    else count.outside += 1;
  }
  const order = [...counts].filter(([, { inside }]) => inside > 0).sort(([, a], [, b]) => b.inside - a.inside);
  if (order.length === 0) return null;
  const range = describeRange(field, values, selected);
  if (range && order.length > VALUES_MAX) return range;
  const typical = order.filter(([, { inside, outside }]) => inside > outside);
  const chosen = (typical.length > 0 ? typical : order.slice(0, 1)).slice(0, VALUES_MAX);
  const total = (side: 'inside' | 'outside') => chosen.reduce((sum, [, count]) => sum + count[side], 0);
  const names = chosen.map(([value]) => quoted(value));
  const filter = `${fieldName(field)} ${names.length === 1 ? `= ${names[0]}` : `IN (${names.join(', ')})`}`;
  return { filter, found: total('inside'), others: total('outside') };
}

function describeRange(field: string, values: readonly unknown[], selected: Uint8Array): Description | null {
  const inside = values.filter((value, at) => selected[at] && value !== undefined);
  if (!inside.every((value) => typeof value === 'number')) return null;
  const from = inside.reduce((low, value) => Math.min(low, value), Infinity);
  const to = inside.reduce((high, value) => Math.max(high, value), -Infinity);
  const others = values.filter((value, at) => !selected[at] && typeof value === 'number' && value >= from && value <= to);
  return { filter: `${fieldName(field)} BETWEEN ${from} AND ${to}`, found: inside.length, others: others.length };
}

const KEYWORDS = new Set('and or not in is null true false exists contains matches between like ilike any all empty date'.split(' '));

/** A field as filters name it. */
export function fieldName(path: string): string {
  const bare = /^[A-Za-z_][\w.-]*$/.test(path) && !KEYWORDS.has(path.toLowerCase());
  return bare ? path : `\`${path.replaceAll('\\', '\\\\').replaceAll('`', '``')}\``;
}

/** A value as filters name it. */
export function quoted(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'` : String(value);
}
