// Any number of documents as they come, written batch after batch.

import { type EncodedDocuments, encodeDocuments } from '../encode.js';
import { invalidRequest } from '../errors.js';
import type { LoadOptions, NewDocument, Written } from '../types.js';
import { BATCH_MAX } from './limits.js';
import { type Source, until } from './until.js';

/** Documents written at once, when nothing else is asked for. */
const BATCH = 1_000;

/** A batch is written once it holds so much: a server takes bodies of four times as many bytes. */
const BATCH_SIZE_MAX = 16 << 20;

/** Writes a batch, and answers how many were replaced. */
type Write = (batch: EncodedDocuments, signal: AbortSignal | undefined) => Promise<number>;

/** Writes all documents that come. What was written stays, however it ends. */
export async function load<M extends object>(documents: Source<NewDocument<M>>, options: LoadOptions, write: Write): Promise<Written> {
  const { batch: most = BATCH, signal, onProgress } = options;
  if (!Number.isInteger(most) || most < 1 || most > BATCH_MAX) throw invalidRequest(`a batch of 1 to ${BATCH_MAX} documents`, most);
  const total = Array.isArray(documents) ? documents.length : documents instanceof Set ? documents.size : null;
  const written: Written = { written: 0, replaced: 0 };
  let [batch, size] = [empty(), 0];
  const flush = async () => {
    if (batch.ids.length === 0) return;
    written.replaced += await write(batch, signal);
    written.written += batch.ids.length;
    [batch, size] = [empty(), 0];
    onProgress?.({ done: written.written, total });
  };
  for await (const document of until(signal, documents)) {
    const one = encodeDocuments([document]);
    // Whoever hands on documents may fill one array again and again.
    if (one.vectors[0] === document.vector) one.vectors[0] = one.vectors[0]?.slice();
    size += sizeOf(one);
    push(batch, one);
    if (batch.ids.length === most || size >= BATCH_SIZE_MAX) await flush();
  }
  await flush();
  return written;
}

function empty(): EncodedDocuments {
  return { ids: [], vectors: [], metadata: [], lives: [] };
}

/** Adds a document; `lives` is as long as `ids`, or empty. */
function push(batch: EncodedDocuments, { ids, vectors, metadata, lives }: EncodedDocuments): void {
  if (lives.length > 0 && batch.lives.length === 0) batch.lives = batch.ids.map(() => undefined);
  if (lives.length > 0 || batch.lives.length > 0) batch.lives.push(lives[0]);
  batch.ids.push(...ids);
  batch.vectors.push(...vectors);
  batch.metadata.push(...metadata);
}

/** About how many bytes a document takes, and at least a third of them as UTF-8. */
function sizeOf({ ids, vectors, metadata }: EncodedDocuments): number {
  return ids[0]!.length + 4 * (vectors[0]?.length ?? 0) + (metadata[0]?.length ?? 0);
}
