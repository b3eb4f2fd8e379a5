// Records of a file, one after another while it is read: JSONL and CSV are never whole in memory, JSON has to be.

/** What a record of a file is: its fields by name. */
export type FileRecord = { [name: string]: unknown };

export type Format = 'json' | 'jsonl' | 'csv';

/** How far a file was read. */
export interface Progress {
  bytes: number;
}

/** What is wrong with a file, and where. */
export class FileError extends Error {
  constructor(readonly line: number, what: string) {
    super(`line ${line}: ${what}`);
  }
}

/** A line or a field that is longer is no line of a table: something else was chosen. */
const LINE_MAX = 64 * 1024 * 1024;
const JSON_MAX = 512 * 1024 * 1024;

/** By the ending of its name; null for another. */
export function formatOf(name: string): Format | null {
  const [, ending] = /\.(\w+)$/.exec(name.toLowerCase()) ?? [];
  if (ending === 'jsonl' || ending === 'ndjson') return 'jsonl';
  if (ending === 'csv' || ending === 'tsv') return 'csv';
  return ending === 'json' ? 'json' : null;
}

/** The records of a file. `progress` tells how far it was read. */
export async function* recordsOf(file: Blob, format: Format, progress: Progress): AsyncGenerator<FileRecord> {
  if (format === 'json') return yield* ofJson(file, progress);
  if (format === 'csv') return yield* ofCsv(chunks(file, progress));
  let line = 0;
  for await (const text of lines(chunks(file, progress))) {
    line += 1;
    if (text.trim() !== '') yield recordOf(text, line);
  }
}

async function* ofJson(file: Blob, progress: Progress): AsyncGenerator<FileRecord> {
  if (file.size > JSON_MAX) throw new FileError(1, 'a JSON file is read whole, and this one is too large: make it one document a line (JSONL)');
  const value: unknown = parse(await file.text(), 1);
  progress.bytes = file.size;
  const all = Array.isArray(value) ? value : ((value as { documents?: unknown } | null)?.documents ?? null);
  if (!Array.isArray(all)) throw new FileError(1, 'expected an array of documents, or an object with `documents`');
  for (const [i, one] of all.entries()) {
    if (!isObject(one)) throw new FileError(i + 1, 'expected an object');
    yield one;
  }
}

async function* chunks(file: Blob, progress: Progress): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    progress.bytes += value.length;
    yield decoder.decode(value, { stream: true });
  }
  yield decoder.decode();
}

async function* lines(parts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const part of parts) {
    const all = (rest + part).split('\n');
    rest = all.pop()!;
    if (rest.length > LINE_MAX) throw new FileError(1, 'a line is longer than 64 MiB: is this file of the kind that was chosen?');
    yield* all;
  }
  yield rest;
}

function recordOf(text: string, line: number): FileRecord {
  const value = parse(text, line);
  if (!isObject(value)) throw new FileError(line, 'expected an object');
  return value;
}

function parse(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FileError(line, error instanceof Error ? error.message : 'no JSON');
  }
}

const isObject = (value: unknown): value is FileRecord => value !== null && typeof value === 'object' && !Array.isArray(value);

/** RFC 4180: the first row names the columns; a comma, a semicolon or a tab parts them, whichever that row has most. */
async function* ofCsv(parts: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let names: string[] | undefined;
  let line = 0;
  for await (const row of rowsOf(parts)) {
    line += 1;
    if (row.length === 1 && row[0] === '') continue;
    if (!names) {
      names = row.map((name, i) => name.trim() || `column ${i + 1}`);
      continue;
    }
    if (row.length > names.length) throw new FileError(line, `${row.length} fields, and the first line names ${names.length}`);
    yield Object.fromEntries(names.map((name, i) => [name, row[i] ?? '']));
  }
}

async function* rowsOf(parts: AsyncIterable<string>): AsyncGenerator<string[]> {
  const scan = { row: [] as string[], field: '', quoted: false, closed: false, comma: '' };
  let begin = '';
  for await (const part of parts) {
    let text = part;
    if (scan.comma === '') {
      begin += part;
      if (!begin.includes('\n')) continue;
      scan.comma = commaOf(begin);
      text = begin.replace(/^\ufeff/, '');
    }
    yield* scanned(scan, text);
    if (scan.field.length > LINE_MAX) throw new FileError(1, 'a field is longer than 64 MiB: is a quote missing?');
  }
  if (scan.comma === '') {
    scan.comma = commaOf(begin);
    yield* scanned(scan, begin.replace(/^\ufeff/, ''));
  }
  if (scan.field !== '' || scan.row.length > 0) yield [...scan.row, scan.field];
}

function* scanned(scan: { row: string[]; field: string; quoted: boolean; closed: boolean; comma: string }, text: string): Generator<string[]> {
  for (const character of text) {
    if (scan.quoted) {
      if (character === '"') [scan.quoted, scan.closed] = [false, true];
      else scan.field += character;
    } else if (character === '"') {
      // A quote after a closing one stands for itself.
      if (scan.closed) scan.field += '"';
      scan.quoted = scan.closed || scan.field === '';
      if (!scan.quoted) scan.field += '"';
      scan.closed = false;
    } else if (character === scan.comma) {
      scan.row.push(scan.field);
      [scan.field, scan.closed] = ['', false];
    } else if (character === '\n') {
      yield [...scan.row, scan.field.replace(/\r$/, '')];
      [scan.row, scan.field, scan.closed] = [[], '', false];
    } else {
      scan.field += character;
      if (character !== '\r') scan.closed = false;
    }
  }
}

function commaOf(text: string): string {
  const first = text.split('\n', 1)[0]!;
  const count = (mark: string) => first.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}
