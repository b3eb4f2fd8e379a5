// `kithdb stats` and `kithdb verify`: what the commands of these names of the server's binary print, to the letter.

import { type InspectedBytes, type InspectedStats, Inspection } from '../native/inspection.js';
import type { CollectionFigures } from '../types.js';
import { type Told, type Usage, needed } from './arguments.js';
import { oneLine, out, say, showing, size } from './report.js';

/** Findings of one object that are printed; a blob that was overwritten has thousands. */
const FINDINGS_SHOWN = 20;

const OPTIONS = {
  data: { value: 'DIR', about: 'Directory of the database; nothing in it is changed' },
  json: { about: 'Answer in JSON' },
};

export const STATS: Usage = {
  name: 'stats',
  about: 'Say what each collection holds and takes; changes nothing',
  options: OPTIONS,
  values: [],
};

export const VERIFY: Usage = {
  name: 'verify',
  about: 'Check every byte of a database directory; changes nothing',
  options: OPTIONS,
  values: [],
};

/** Prints figures; 1 when a collection cannot be read. */
export async function stats(told: Told): Promise<number> {
  const { answer, kinds, odd } = await (await Inspection.open(needed(told, 'data'))).stats();
  for (const [level, message] of odd) say(level, message);
  if (told.has('json')) out(JSON.stringify(answer, null, 2));
  else table(answer.collections, kinds).forEach(out);
  return answer.collections.some((figures) => 'error' in figures) ? 1 : 0;
}

/** Prints what is found; 1 when something is damaged. */
export async function verify(told: Told): Promise<number> {
  const inspection = await Inspection.open(needed(told, 'data'));
  const { answer } = await showing('verifying', () => inspection.progress(), inspection.verify());
  if (told.has('json')) {
    out(JSON.stringify(answer, null, 2));
  } else {
    answer.objects.flatMap(objectInWords).forEach(out);
    for (const name of answer.strangers) out(`${name}: unknown, left alone`);
    out(inWords(answer.summary));
  }
  return answer.clean ? 0 : 1;
}

/** One row a collection and one in all, then what does not fit a row. */
function table(collections: InspectedStats['answer']['collections'], kinds: string[]): string[] {
  const rows = [['collection', 'documents', 'vectors', 'dim', 'ended', 'segments', 'indexed', 'blobs', 'log']];
  const notes: string[] = [];
  for (const figures of collections) {
    const { name } = figures;
    if ('error' in figures) {
      rows.push([name, 'cannot be read']);
      notes.push(`${name}: ${oneLine(figures.error)}`);
      continue;
    }
    const { documents, vectors, dim, ended, segments } = figures;
    const indexed = segments.filter(({ bytes }) => 'links' in bytes).length;
    const blobs = sum(kinds.map((kind) => bytesOf(figures, kind)));
    const log = sum(figures.logs.map(({ bytes }) => bytes));
    const counts = [documents, vectors, dim ?? '-', ended, segments.length, indexed].map(String);
    rows.push([name, ...counts, size(blobs), size(log)]);
    notes.push(...details(figures, kinds));
  }
  return notes.length > 0 ? [...aligned(rows), '', ...notes] : aligned(rows);
}

function details(figures: CollectionFigures, kinds: string[]): string[] {
  const { name, metric, memtable } = figures;
  const [embedder, previous] = [figures.embedder ?? 'none', figures.previous_generation ?? 'none'];
  const generations = `format ${figures.format_version}, generation ${figures.generation}, to fall back on ${previous}`;
  const lines = [
    `${name}: ${metric} distance, embedder ${embedder}, ${generations}`,
    `${name}: memtable ${memtable.documents} documents, to be replayed from ${memtable.frames} frames, ${size(memtable.bytes)}`,
  ];
  const taken = kinds.filter((kind) => bytesOf(figures, kind) > 0).map((kind) => `${kind} ${size(bytesOf(figures, kind))}`);
  if (taken.length > 0) lines.push(`${name}: ${taken.join(', ')}`);
  if (memtable.tail_bytes > 0) lines.push(`${name}: ${memtable.tail_bytes} bytes of an unfinished write behind them`);
  return lines;
}

/** Bytes of all blobs of a kind. */
function bytesOf({ segments }: CollectionFigures, kind: string): number {
  return sum(segments.map(({ bytes }) => bytes[kind] ?? 0));
}

function sum(numbers: number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** Columns: the first to the left, the others to the right. */
function aligned(rows: string[][]): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const full = rows.filter((row) => row.length === columns);
  const width = (some: string[][], i: number) => Math.max(...some.map((row) => [...row[i]!].length));
  const widths = Array.from({ length: columns }, (_, i) => width(i === 0 ? rows : full, i));
  const pad = (cell: string, i: number) => {
    const room = ' '.repeat(Math.max(0, widths[i]! - [...cell].length));
    return i === 0 ? cell + room : room + cell;
  };
  return rows.map((row) => row.map(pad).join('  '));
}

type CheckedObject = InspectedBytes['answer']['objects'][number];

const STATES = {
  ok: 'OK',
  damaged: 'DAMAGED',
  unfinished: 'unfinished',
  unneeded: 'unneeded',
  unknown: 'unknown, left alone',
};

/** A line for the object, and for each finding after the first one more. */
function objectInWords({ object, collection, state, derived, bytes, findings }: CheckedObject): string[] {
  const name = collection === null ? object : `${object} (${collection})`;
  const what = state === 'damaged' && derived ? 'DAMAGED, can be made again' : STATES[state];
  if (findings.length === 0) return [`${name}: ${what}${bytes > 0 ? `, ${bytes} bytes` : ''}`];
  const at = (offset: number | null) => (offset === null ? '' : `at byte ${offset}, `);
  const lines = findings.slice(0, FINDINGS_SHOWN).map((finding) => `${name}: ${what}: ${at(finding.offset)}${finding.what}`);
  const more = findings.length - lines.length;
  return more > 0 ? [...lines, `${name}: ${what}: and ${more} more places`] : lines;
}

function inWords(summary: InspectedBytes['answer']['summary']): string {
  const { collections, bytes, ok, damaged, derived_damaged: derived } = summary;
  const odd = (['unfinished', 'unneeded', 'unknown'] as const).filter((state) => summary[state] > 0);
  const counts = [`${ok} objects are sound`, ...odd.map((state) => `${summary[state]} ${state}`)].join(', ');
  const all = `${collections} collections, ${bytes} bytes: ${counts}`;
  if (damaged === 0) return `${all}; nothing is damaged`;
  if (damaged === derived) return `${all}; ${damaged} damaged, all of which opening makes again from the documents`;
  return `${all}; ${damaged} DAMAGED; save what is left with: kithdb repair --data DIR --into NEW`;
}
