// How figures read: pure functions.

const PLACES = new Intl.PluralRules('en', { type: 'ordinal' });
const ENDING_OF: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };

/** 1st, 2nd, 3rd. */
export const ordinal = (rank: number): string => `${rank}${ENDING_OF[PLACES.select(rank)] ?? 'th'}`;

/** Three digits that matter, without the noise of the others. */
export const number = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)).toString();

/** Always the same width in a list: scores are compared by the eye. */
export const score = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(3));

/** 1 document, 2,000 documents. */
export const count = (value: number, one: string, many = `${one}s`): string =>
  `${value.toLocaleString('en')} ${value === 1 ? one : many}`;

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** 1.5 MB, of a thousand KB each. */
export function bytes(value: number): string {
  let [amount, unit] = [value, 0];
  while (amount >= 1000 && unit < UNITS.length - 1) [amount, unit] = [amount / 1000, unit + 1];
  return `${unit === 0 ? amount : amount.toPrecision(3).replace(/\.?0+$/, '')} ${UNITS[unit]}`;
}

/** A share in whole percent. */
export const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** A text of at most so many characters, cut where it is longer: what is stored may be megabytes. */
export const shorten = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max)}…` : text);

/** Any JSON in one short line. */
export function brief(value: unknown, max = 120): string {
  if (typeof value === 'string') return shorten(value, max);
  if (Array.isArray(value) && value.length > max) return `${value.length.toLocaleString('en')} values`;
  return shorten(JSON.stringify(value) ?? '', max);
}
