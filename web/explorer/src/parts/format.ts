// How figures read: pure functions, with those that the search page has.

export { count, number, ordinal, score } from '../../../present.js';

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
