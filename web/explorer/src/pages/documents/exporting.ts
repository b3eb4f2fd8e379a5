// Writes a collection to a file of the reader's: as KithDB's own, or one document a line. Where the browser gives a
// place on the disk it is written there as it comes; elsewhere it is gathered first.

import type { Collection } from '../../data/types.js';

export type ExportFormat = 'kithdb' | 'jsonl';

/** How it is done. */
export interface ExportOptions {
  name: string;
  format: ExportFormat;
  signal: AbortSignal;
  onProgress: (done: { bytes: number; documents: number }) => void;
}

interface Place {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** As much is gathered before it is written. */
const PIECE_LINES = 200;

/** False when the reader chose no file. */
export async function exportTo(collection: Collection, options: ExportOptions): Promise<boolean> {
  const name = `${options.name.replace(/[^\w.-]+/g, '_')}.${options.format === 'kithdb' ? 'kithdb' : 'jsonl'}`;
  const place = await openPlace(name);
  if (!place) return false;
  const done = { bytes: 0, documents: 0 };
  const pieces = options.format === 'kithdb' ? piecesOf(collection, options.signal) : linesOf(collection, options.signal, done);
  try {
    for await (const piece of pieces) {
      options.signal.throwIfAborted();
      await place.write(piece);
      done.bytes += piece.length;
      options.onProgress({ ...done });
    }
    await place.end();
  } catch (error) {
    // Why it failed is what is told.
    await place.abort().catch(() => {});
    throw error;
  }
  return true;
}

async function* piecesOf(collection: Collection, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = (await collection.exportStream({ signal })).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // When the file takes no more, nobody reads on.
    await reader.cancel().catch(() => {});
  }
}

async function* linesOf(collection: Collection, signal: AbortSignal, done: { documents: number }): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let lines: string[] = [];
  for await (const { id, vector, metadata } of collection.scan({ signal })) {
    lines.push(JSON.stringify({ id, vector: vector && [...vector], metadata }), '\n');
    done.documents += 1;
    if (lines.length < 2 * PIECE_LINES) continue;
    yield encoder.encode(lines.join(''));
    lines = [];
  }
  yield encoder.encode(lines.join(''));
}

interface SaveWindow {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<{
    createWritable(): Promise<{ write(bytes: Uint8Array): Promise<void>; close(): Promise<void>; abort(): Promise<void> }>;
  }>;
}

async function openPlace(name: string): Promise<Place | null> {
  const pick = (window as SaveWindow).showSaveFilePicker;
  if (!pick) return gather(name);
  try {
    const handle = await pick.call(window, { suggestedName: name });
    const file = await handle.createWritable();
    return { write: (bytes) => file.write(bytes), end: () => file.close(), abort: () => file.abort() };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    return gather(name);
  }
}

function gather(name: string): Place {
  const pieces: BlobPart[] = [];
  return {
    write: async (bytes) => void pieces.push(bytes as BlobPart),
    abort: async () => void pieces.splice(0),
    end: async () => {
      const url = URL.createObjectURL(new Blob(pieces, { type: 'application/octet-stream' }));
      const anchor = Object.assign(document.createElement('a'), { href: url, download: name });
      anchor.click();
      // The browser has begun to read it by then, or never will.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
  };
}
