// What a document is called where there is room for a few words.

import { valueAt } from '../../compute/fields.js';

/** Fields that name what they are in, where a collection has one of them. */
const USUAL = ['title', 'name', 'label', 'lemmas', 'word', 'headline', 'subject'];

/** The field that names documents best; '' for their ids. */
export function usualTitle(fields: readonly string[]): string {
  const known = new Set(fields);
  return USUAL.find((name) => known.has(name)) ?? '';
}

/** What a document is called by a field, else its id. */
export function titleOf(id: string, metadata: object | null | undefined, field: string): string {
  const value = field === '' ? undefined : valueAt(metadata, field);
  return value === undefined || value === '' ? id : String(value);
}
