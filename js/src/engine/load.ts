// Any number of documents as they come, written batch after batch.

import { type EncodedDocuments, encodeDocuments } from '../encode.js';
import { invalidRequest } from '../errors.js';
import type { LoadOptions, NewDocument, Written } from '../types.js';
import { type Fillable, TEXTS_MAX } from './embed.js';
import { BATCH_MAX } from './limits.js';
import { type Source, until } from './until.js';

/** Documents written at once, when nothing else is asked for. */
const BATCH = 1_000;

/** A batch is written once it holds so much: a server takes bodies of four times as many bytes. */
const BATCH_SIZE_MAX = 16 << 20;

/** Gives documents their vectors; nothing to wait for where none is to be given. */
type Fill = (documents: Fillable, signal: AbortSignal | undefined) => Promise<void> | undefined;

/** Writes a batch, and answers how many were replaced. */
type Write = (batch: EncodedDocuments, signal: AbortSignal | undefined) => Promise<number>;

/** Writes all documents that come. What was written stays, however it ends. */
export async function load<M extends object>(
  documents: Source<NewDocument<M>>,
  options: LoadOptions,
  fill: Fill | undefined,
  write: Write,
): Promise<Written> {
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
  const take = async (one: EncodedDocuments) => {
    size += sizeOf(one);
    push(batch, one);
    if (batch.ids.length === most || size >= BATCH_SIZE_MAX) await flush();
  };
  // Documents are measured for a batch with the vectors that they get.
  const waiting = new Waiting();
  const settle = async () => {
    for (const one of await waiting.filled(fill, signal)) await take(one);
  };
  for await (const document of until(signal, documents)) {
    const one = encodeDocuments([document]);
    // Whoever hands on documents may fill one array again and again.
    if (one.vectors[0] === document.vector) one.vectors[0] = one.vectors[0]?.slice();
    waiting.push(one);
    const isFull = batch.ids.length + waiting.documents.length === most || size + waiting.size >= BATCH_SIZE_MAX;
    if (isFull || !fill || waiting.bare === TEXTS_MAX) await settle();
  }
  await settle();
  await flush();
  return written;
}

/** Documents of one each, not all of which have their vector. */
class Waiting {
  documents: EncodedDocuments[] = [];
  /** How many of them have none. */
  bare = 0;
  size = 0;

  push(one: EncodedDocuments): void {
    this.documents.push(one);
    if (one.vectors[0] === undefined) this.bare += 1;
    this.size += sizeOf(one);
  }

  /** All of them with their vectors; none waits then. */
  async filled(fill: Fill | undefined, signal: AbortSignal | undefined): Promise<EncodedDocuments[]> {
    const { documents } = this;
    [this.documents, this.bare, this.size] = [[], 0, 0];
    const vectors = documents.map((one) => one.vectors[0]);
    await fill?.({ vectors, metadata: documents.map(({ metadata }) => metadata[0]) }, signal);
    return documents.map((one, i) => ({ ...one, vectors: [vectors[i]] }));
  }
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
