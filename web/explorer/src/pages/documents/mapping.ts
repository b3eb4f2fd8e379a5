// What of a record becomes what of a document: pure functions.

import type { Json, JsonObject, NewDocument } from '../../data/types.js';
import type { FileRecord, Format } from './parse.js';

/** What a field becomes. `auto`: a number or a boolean where its text is one; `whole`: all of the metadata. */
export type Target = 'id' | 'vector' | 'auto' | 'text' | 'json' | 'whole' | 'none';

export type Mapping = Readonly<Record<string, Target>>;

/** What each says to people. */
export const TARGETS: Readonly<Record<Target, string>> = {
  id: 'the id',
  vector: 'the vector',
  auto: 'metadata',
  text: 'metadata, as text',
  json: 'metadata, as JSON in it',
  whole: 'all of the metadata',
  none: 'left out',
};

const IDS = ['id', '_id', 'key', 'uuid'];
const VECTORS = ['vector', 'embedding', 'embeddings'];

/** A mapping to begin with, by the names of the fields and what is in the first records. */
export function guess(records: readonly FileRecord[], format: Format): Mapping {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const first = (wanted: string[]) => wanted.find((name) => names.includes(name)) ?? names.find((name) => wanted.includes(name.toLowerCase()));
  const [id, vector] = [first(IDS), first(VECTORS)];
  const isWhole = (name: string) => format !== 'csv' && name === 'metadata' && records.every((record) => isObject(record[name] ?? {}));
  return Object.fromEntries(names.map((name) => {
    if (name === id) return [name, 'id'];
    if (name === vector) return [name, 'vector'];
    return [name, isWhole(name) ? 'whole' : 'auto'];
  }));
}

/** The document of a record; its place in the file is its id where no field is. */
export function documentOf(record: FileRecord, mapping: Mapping, place: number, format: Format): NewDocument {
  const metadata: JsonObject = {};
  const document: NewDocument = { id: '', metadata };
  for (const [name, value] of Object.entries(record)) {
    const target = mapping[name] ?? 'auto';
    if (target === 'id') document.id = idOf(value, name);
    else if (target === 'vector') document.vector = vectorOf(value, name);
    else if (target === 'whole') Object.assign(metadata, isObject(value) ? value : {});
    else if (target === 'text') metadata[name] = typeof value === 'string' ? value : JSON.stringify(value);
    else if (target === 'json') metadata[name] = JSON.parse(String(value)) as Json;
    else if (target === 'auto' && !(format === 'csv' && value === '')) metadata[name] = (format === 'csv' ? scalar(String(value)) : value) as Json;
  }
  if (document.id === '') document.id = String(place);
  return document;
}

/** '' where a record has none. What is neither text nor a number would be the same id for all. */
function idOf(value: unknown, name: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new Error(`${name} is no id: expected text or a number, got ${JSON.stringify(value).slice(0, 60)}`);
}

const isObject = (value: unknown): value is JsonObject => value !== null && typeof value === 'object' && !Array.isArray(value);

/** A number only where it is written as one would be: `007` and `1e5` in a table are names. */
function scalar(text: string): string | number | boolean {
  if (/^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}

function vectorOf(value: unknown, name: string): number[] | null {
  if (value === null || value === undefined || value === '') return null;
  const all: unknown = typeof value === 'string' ? JSON.parse(value.trim().startsWith('[') ? value : `[${value.trim().replace(/[\s;]+/g, ',')}]`) : value;
  if (Array.isArray(all) && all.every((one) => typeof one === 'number')) return all as number[];
  throw new Error(`${name} is no vector: expected an array of numbers`);
}
