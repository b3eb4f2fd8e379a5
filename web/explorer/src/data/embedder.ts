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

/** Below which address it is kept; nothing is ever fetched from there. */
const folderOf = (database: string): string => `embedder/${encodeURIComponent(database)}`;
/** Where the search page that was here before kept that of its one database. */
const OLD = { database: 'page', folder: '/ui/embedder' };
/** Stored last: with it, everything is there. */
const ABOUT = 'about';

interface Kept {
  cache: Cache;
  folder: string;
  about: AboutEmbedder;
}

const foldersOf = (database: string): string[] =>
  [folderOf(database), ...(database === OLD.database ? [OLD.folder] : [])];

async function keptOf(database: string): Promise<Kept | undefined> {
  const cache = await caches.open(CACHE);
  for (const folder of foldersOf(database)) {
    const about = await cache.match(`${folder}/${ABOUT}`);
    if (about) return { cache, folder, about: (await about.json()) as AboutEmbedder };
  }
  return undefined;
}

/** The embedder that a database was given; undefined without one, or where a browser keeps nothing. */
export async function keptEmbedder(database: string): Promise<EmbedderFiles | undefined> {
  try {
    const kept = await keptOf(database);
    if (!kept) return undefined;
    const [model, tokenizer] = await Promise.all([FILES.model, FILES.tokenizer].map(async (file) => {
      const found = await kept.cache.match(`${kept.folder}/${file}`);
      return found && new Uint8Array(await found.arrayBuffer());
    }));
    return model && tokenizer ? { name: kept.about.name, model, tokenizer } : undefined;
  } catch {
    return undefined;
  }
}

/** Removes what is kept for a database, with which it has gone. */
export async function forgetEmbedder(database: string): Promise<void> {
  try {
    const cache = await caches.open(CACHE);
    // The word that all is there first: what is left by a page that is closed meanwhile is not taken for whole. Files may lie
    // there without it.
    for (const folder of foldersOf(database)) {
      for (const file of [ABOUT, ...Object.values(FILES)]) await cache.delete(`${folder}/${file}`);
    }
  } catch {
    // Where a browser keeps nothing there is nothing to remove.
  }
}

/** Its hash, without reading its files. */
export async function keptHash(database: string): Promise<string | undefined> {
  return (await keptOf(database))?.about.hash;
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
  const folder = folderOf(database);
  await cache.delete(`${folder}/${ABOUT}`);
  let before = 0;
  for (const file of Object.values(FILES)) {
    const answer = await send(source, `v1/embedder/${file}`, { signal });
    const bytes = await readBytes(answer, (done) => onBytes(before + done, total));
    if (bytes.length !== about.files[file]?.bytes) {
      throw Object.assign(new Error(`the embedder\u2019s ${file} came with ${bytes.length} bytes`), { code: 'invalid_answer' });
    }
    before += bytes.length;
    await cache.put(`${folder}/${file}`, new Response(bytes));
  }
  await cache.put(`${folder}/${ABOUT}`, new Response(JSON.stringify(about)));
}
