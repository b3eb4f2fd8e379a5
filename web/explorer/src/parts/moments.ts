// Moments between an address, which has them in UTC, and a field, which has them as the reader's clock shows them.

/** RFC 3339 of what a field holds; '' for none. */
export const momentOf = (local: string): string => (local === '' ? '' : new Date(local).toISOString());

/** What a field shows of RFC 3339; '' for what is none. */
export function localOf(moment: string): string {
  const time = new Date(moment);
  if (Number.isNaN(time.getTime())) return '';
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
