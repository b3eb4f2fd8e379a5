// What a form says of a document, as what is stored: pure functions.

import type { JsonObject, NewDocument, Version } from '../../data/types.js';

/** What becomes of the vector. */
export type VectorChoice = 'keep' | 'embed' | 'typed' | 'none';

/** The fields of the form as they are typed. */
export interface Typed {
  id: string;
  metadata: string;
  choice: VectorChoice;
  vector: string;
  /** A duration such as `30d`; '' for as before, or for ever. */
  ttl: string;
}

/** When the newest version goes by itself; null for never. */
export function expiryOf(versions: readonly Version[]): string | null {
  return versions[0]?.valid_to ?? null;
}

/** The document; throws an error that says which field is wrong. */
export function documentOf(typed: Typed, kept: { vector: Float32Array | null; expiresAt: string | null }): NewDocument {
  if (typed.id === '') throw new Error('the id is empty');
  const document: NewDocument = { id: typed.id, metadata: metadataOf(typed.metadata) };
  if (typed.choice === 'keep' && kept.vector) document.vector = kept.vector;
  if (typed.choice === 'typed') document.vector = vectorOf(typed.vector);
  if (typed.choice === 'none') document.vector = null;
  if (typed.ttl.trim() !== '') document.ttl = typed.ttl.trim();
  else if (kept.expiresAt !== null) document.expires_at = kept.expiresAt;
  return document;
}

function metadataOf(text: string): JsonObject {
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw new Error(`the metadata is no JSON: ${error instanceof Error ? error.message : ''}`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('the metadata is no JSON object, such as {"title": "..."}');
  return value as JsonObject;
}

function vectorOf(text: string): number[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number')) return value as number[];
  } catch {
    // As below.
  }
  throw new Error('the vector is no JSON array of numbers, such as [0.1, -0.2]');
}
