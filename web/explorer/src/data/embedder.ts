// The embedders of databases of this browser: their files come from a server once and are kept here, because without them
// nothing can be embedded when the server is away.

import { readBytes, send } from './http.js';
import type { Source } from './sources.js';
import type { EmbedderFiles } from './types.js';

const CACHE = 'kithdb-embedder';
const FILES = { model: 'model.safetensors', tokenizer: 'tokenizer.json' } as const;

/** What a server says of its embedder. */
export interface AboutEmbedder {
  name: string;
  dim: number;
  hash: string;
  files: Record<string, { bytes: number }>;
}

/** Under which addresses it is kept; nothing is ever fetched from them. */
const keyOf = (database: string, file: string): string => `embedder/${encodeURIComponent(database)}/${file}`;
/** Stored last: with it, everything is there. */
const aboutOf = (database: string): string => keyOf(database, 'about');

/** The embedder that a database was given; undefined without one, or where a browser keeps nothing. */
export async function keptEmbedder(database: string): Promise<EmbedderFiles | undefined> {
  try {
    const cache = await caches.open(CACHE);
    const about = await cache.match(aboutOf(database));
    if (!about) return undefined;
    const { name } = (await about.json()) as AboutEmbedder;
    const [model, tokenizer] = await Promise.all([FILES.model, FILES.tokenizer].map(async (file) => {
      const kept = await cache.match(keyOf(database, file));
      return kept && new Uint8Array(await kept.arrayBuffer());
    }));
    return model && tokenizer ? { name, model, tokenizer } : undefined;
  } catch {
    return undefined;
  }
}

/** Its hash, without reading its files. */
export async function keptHash(database: string): Promise<string | undefined> {
  const about = await (await caches.open(CACHE)).match(aboutOf(database));
  return about && ((await about.json()) as AboutEmbedder).hash;
}

/** What the server of a source says of its embedder. */
export async function aboutEmbedder(source: Source, signal: AbortSignal): Promise<AboutEmbedder> {
  return (await (await send(source, 'v1/embedder', { signal })).json()) as AboutEmbedder;
}

/** Fetches the embedder of a server and keeps it for a database. */
export async function keepEmbedder(
  source: Source,
  about: AboutEmbedder,
  database: string,
  { signal, onBytes }: { signal: AbortSignal; onBytes: (done: number, total: number) => void },
): Promise<void> {
  const total = Object.values(about.files).reduce((sum, { bytes }) => sum + bytes, 0);
  const cache = await caches.open(CACHE);
  await cache.delete(aboutOf(database));
  let before = 0;
  for (const file of Object.values(FILES)) {
    const answer = await send(source, `v1/embedder/${file}`, { signal });
    const bytes = await readBytes(answer, (done) => onBytes(before + done, total));
    if (bytes.length !== about.files[file]?.bytes) {
      throw Object.assign(new Error(`the embedder\u2019s ${file} came with ${bytes.length} bytes`), { code: 'invalid_answer' });
    }
    before += bytes.length;
    await cache.put(keyOf(database, file), new Response(bytes));
  }
  await cache.put(aboutOf(database), new Response(JSON.stringify(about)));
}
