// What callers pass, on its way to an engine: nothing may change its value silently.
//
// Whatever the core can judge is left to the core; here stands only what a JSON text or a Float32Array would hide.

import { KithError, invalidMetadata, invalidRequest, show } from './errors.js';
import type { CallOptions } from './types.js';

/** Metadata nested deeper than this has no end; the core's own limit is lower. */
const DEPTH_MAX = 500;

/** A vector as f32. What is not a number becomes NaN and what is too large infinity, which the core refuses. */
export function encodeVector(vector: unknown): Float32Array {
  if (isFloat32Array(vector)) return vector;
  if (!Array.isArray(vector)) throw invalidRequest('a vector that is a Float32Array or an array of numbers', vector);
  const encoded = new Float32Array(vector.length);
  for (let i = 0; i < vector.length; i++) {
    const component: unknown = vector[i];
    encoded[i] = typeof component === 'number' ? component : NaN;
  }
  return encoded;
}

/** Also of another realm, for example a `vm` context of a test tool. */
function isFloat32Array(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Float32Array]';
}

/** A vector that may be left out. */
export function encodeOptionalVector(vector: unknown): Float32Array | undefined {
  return vector === undefined || vector === null ? undefined : encodeVector(vector);
}

/** Metadata as JSON that says exactly what was given; undefined when there is none. */
export function encodeMetadata(metadata: unknown): string | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  checkJson(metadata, 'metadata', 0);
  return JSON.stringify(metadata);
}

function checkJson(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw invalidMetadata('a finite number', `${value} at ${path}`);
      return;
    case 'object':
      if (value !== null) checkObject(value, path, depth);
      return;
    default:
      throw invalidMetadata('what JSON can hold', `${show(value)} at ${path}`);
  }
}

function checkObject(value: object, path: string, depth: number): void {
  if (depth > DEPTH_MAX) throw invalidMetadata('what JSON can hold', `nesting without end at ${path.slice(0, 64)}`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) checkJson(value[i], `${path}[${i}]`, depth + 1);
    return;
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw invalidMetadata('a valid date', `${value} at ${path}`);
    return;
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    checkJson(value.toJSON(), path, depth + 1);
    return;
  }
  // A Map or a Set would become {}, a typed array an object of its indexes.
  if (Object.prototype.toString.call(value) !== '[object Object]') {
    throw invalidMetadata('what JSON can hold', `${show(value)} at ${path}`);
  }
  for (const [name, field] of Object.entries(value)) checkJson(field, `${path}.${name}`, depth + 1);
}

/** The JSON of a request, a configuration or options. A NaN would become null, which means something else. */
export function encodeRequest(request: unknown): string {
  if (request === undefined || request === null) return '{}';
  if (typeof request !== 'object' || Array.isArray(request)) throw invalidRequest('an object', request);
  const encoded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(request)) encoded[name] = encodeField(name, value);
  return JSON.stringify(encoded);
}

/** Fields that hold a moment. */
const MOMENTS = new Set(['as_of', 'expires_at']);

/** Options that no engine sees. */
const OURS = new Set(['signal', 'idempotency_key', 'onProgress']);

/** The JSON of options, without what is for this side alone; undefined when nothing is left. */
export function encodeOptions(options: CallOptions | undefined): string | undefined {
  if (options === undefined || options === null) return undefined;
  if (typeof options !== 'object') throw invalidRequest('options that are an object', options);
  const wanted = Object.entries(options).filter(([name]) => !OURS.has(name));
  return wanted.length === 0 ? undefined : encodeRequest(Object.fromEntries(wanted));
}

function encodeField(name: string, value: unknown): unknown {
  // A number would be taken for nanoseconds, and Date.now() for a moment in 1970.
  if (MOMENTS.has(name) && typeof value === 'number') throw invalidRequest(`${name} that is a Date, text or a bigint of nanoseconds`, value);
  // Moments, which are these in no other place.
  if (typeof value === 'bigint') return value.toString();
  const isLost = typeof value === 'function' || typeof value === 'symbol';
  const isNoNumber = typeof value === 'number' && !Number.isFinite(value);
  const isNoDate = value instanceof Date && Number.isNaN(value.getTime());
  if (isLost || isNoNumber || isNoDate) throw invalidRequest(`${name} that JSON can hold`, value);
  return value;
}

/** A string that an engine expects. */
export function encodeString(what: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidRequest(`${what} that is a string`, value);
  return value;
}

/** A string without half a character, which UTF-8 could not hold. */
export function encodeText(what: string, value: unknown): string {
  const text = encodeString(what, value);
  if (LONE_SURROGATE.test(text)) throw invalidRequest(`${what} without lone surrogates`, text);
  return text;
}

/** A key, whose length the core checks. */
export function encodeKey(key: unknown): string {
  if (typeof key === 'string' && !LONE_SURROGATE.test(key)) return key;
  const [expected, got] = ['a string without lone surrogates', show(key)];
  throw new KithError({ code: 'invalid_key', message: `invalid key ${got}: expected ${expected}`, expected, got });
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Ids, which the core checks. */
export function encodeIds(ids: unknown): string[] {
  if (!Array.isArray(ids)) throw invalidRequest('an array of ids', ids);
  return ids.map((id) => encodeId(id));
}

function encodeId(id: unknown): string {
  if (typeof id === 'string') return id;
  const [expected, got] = ['a string', show(id)];
  throw new KithError({ code: 'invalid_id', message: `invalid document id ${got}: expected ${expected}`, expected, got });
}

/** An id that UTF-8 can hold, as the core asks for it where an id crosses as UTF-16. */
export function idOf(id: string): string {
  if (!LONE_SURROGATE.test(id)) return id;
  const [expected, got] = ['text without lone surrogates', show(id)];
  throw new KithError({ code: 'invalid_id', message: `invalid document id ${got}: expected ${expected}`, expected, got });
}

/** Documents as arrays of one length. */
export interface EncodedDocuments {
  ids: string[];
  vectors: (Float32Array | undefined)[];
  metadata: (string | undefined)[];
  /** How long each is to live; empty when none says so. */
  lives: (string | undefined)[];
}

/** Documents; a field that is not one of a document's is refused, as everywhere. */
export function encodeDocuments(documents: unknown): EncodedDocuments {
  if (!Array.isArray(documents)) throw invalidRequest('an array of documents', documents);
  const encoded: EncodedDocuments = { ids: [], vectors: [], metadata: [], lives: [] };
  for (const document of documents as unknown[]) {
    if (typeof document !== 'object' || document === null) throw invalidRequest('a document that is an object', document);
    const { id, vector, metadata, expires_at, ttl, ...others } = document as Record<string, unknown>;
    for (const name in others) throw invalidRequest('a document of id, vector, metadata, expires_at and ttl', name);
    encoded.ids.push(encodeId(id));
    encoded.vectors.push(encodeOptionalVector(vector));
    encoded.metadata.push(encodeMetadata(metadata));
    if (given(expires_at) || given(ttl)) encoded.lives[encoded.ids.length - 1] = encodeRequest({ expires_at, ttl });
  }
  if (encoded.lives.length > 0) encoded.lives = Array.from(encoded.ids, (_, i) => encoded.lives[i]);
  return encoded;
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}
