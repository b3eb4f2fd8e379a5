// Stores the records of a file, batch by batch; what was stored stays when it is stopped or a record is refused.

import type { Collection, NewDocument } from '../../data/types.js';
import { type Mapping, documentOf } from './mapping.js';
import { FileError, type Format, type Progress, recordsOf } from './parse.js';

/** How far it is. */
export interface Imported extends Progress {
  documents: number;
  replaced: number;
}

/** How it is done. */
export interface ImportOptions {
  file: Blob;
  format: Format;
  mapping: Mapping;
  /** Whether documents that are there are replaced; else the first of them ends it. */
  replaces: boolean;
  signal: AbortSignal;
  onProgress: (imported: Imported) => void;
}

/** Documents stored at once: by number, and by about how much text they are. */
const [BATCH, BATCH_CHARACTERS] = [500, 4_000_000];

export async function importFile(collection: Collection, options: ImportOptions): Promise<Imported> {
  const { file, format, mapping, replaces, signal, onProgress } = options;
  const imported: Imported = { bytes: 0, documents: 0, replaced: 0 };
  let batch: NewDocument[] = [];
  let [size, place] = [0, 0];
  const store = async () => {
    if (batch.length === 0) return;
    const { written, replaced } = await (replaces ? collection.upsertMany(batch, { signal }) : collection.addMany(batch, { signal }));
    imported.documents += written;
    imported.replaced += replaced;
    [batch, size] = [[], 0];
    onProgress({ ...imported });
  };
  for await (const record of recordsOf(file, format, imported)) {
    signal.throwIfAborted();
    place += 1;
    try {
      batch.push(documentOf(record, mapping, place, format));
    } catch (error) {
      throw new FileError(place + (format === 'csv' ? 1 : 0), error instanceof Error ? error.message : String(error));
    }
    size += lengthOf(record);
    if (batch.length >= BATCH || size >= BATCH_CHARACTERS) await store();
  }
  await store();
  return imported;
}

/** About how many characters a record takes, without writing it. */
function lengthOf(record: object): number {
  let sum = 0;
  for (const value of Object.values(record)) sum += typeof value === 'string' ? value.length : Array.isArray(value) ? 12 * value.length : 16;
  return sum;
}
