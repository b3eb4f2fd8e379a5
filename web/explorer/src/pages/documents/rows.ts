// Documents as rows of a table: a few short texts each, as a document may be megabytes. Pure functions.

import type { Document } from '../../data/types.js';
import { brief } from '../../parts/format.js';

/** A document as the table keeps it. */
export interface Row {
  id: string;
  /** Of its vector; null without one. */
  dim: number | null;
  cells: ReadonlyMap<string, string>;
}

const [FIELDS_MAX, CELL_MAX, COLUMNS] = [40, 100, 4];

export function rowOf({ id, vector, metadata }: Pick<Document, 'id' | 'vector' | 'metadata'>): Row {
  const fields = Object.entries(metadata).slice(0, FIELDS_MAX);
  return { id, dim: vector?.length ?? null, cells: new Map(fields.map(([name, value]) => [name, brief(value, CELL_MAX)])) };
}

/** The fields of some rows, those that most have first. */
export function columnsOf(rows: readonly Row[]): string[] {
  const counts = new Map<string, number>();
  for (const { cells } of rows) for (const name of cells.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name).slice(0, FIELDS_MAX);
}

/** A column of the table: of what each document has, or of a field of its metadata, which may have any name. */
export interface Column {
  kind: 'id' | 'field' | 'vector';
  name: string;
}

/** The columns for some fields. */
export function tableOf(fields: readonly string[], { hasVector }: { hasVector: boolean }): Column[] {
  const middle = fields.map((name): Column => ({ kind: 'field', name }));
  return [{ kind: 'id', name: 'id' }, ...middle, ...(hasVector ? [{ kind: 'vector', name: 'vector' } as const] : [])];
}

/** The columns that are shown unless the reader says otherwise. */
export const firstColumns = (all: readonly string[]): string[] => all.slice(0, COLUMNS);
