// The embedder in the tab: its files come from the server once and are kept in this browser, because without them
// nothing can be embedded when the server is away. Runs in the engine's Worker.

import { KithError } from './errors.js';

const CACHE = 'kithdb-embedder';
/** Under which addresses it is kept; nothing is ever fetched from them. */
const ABOUT = '/ui/embedder/about';
const FILES = { model: 'model.safetensors', tokenizer: 'tokenizer.json' };
const keyOf = (file) => `/ui/embedder/${file}`;

/** Name, hash and files of the embedder that is kept; undefined without one. */
export async function keptEmbedder() {
  const cache = await caches.open(CACHE);
  // Stored last: with it, everything is there.
  const about = await cache.match(ABOUT);
  if (!about) return undefined;
  const { name, hash } = await about.json();
  const [model, tokenizer] = await Promise.all([FILES.model, FILES.tokenizer].map(async (file) => {
    const kept = await cache.match(keyOf(file));
    return kept && new Uint8Array(await kept.arrayBuffer());
  }));
  return model && tokenizer ? { name, hash, files: { name, model, tokenizer } } : undefined;
}

/** Hash of the embedder that is kept, without reading its files. */
export async function keptHash() {
  const about = await (await caches.open(CACHE)).match(ABOUT);
  return about ? (await about.json()).hash : undefined;
}

/** Fetches the server's embedder and keeps it. `onProgress` as for a copy. */
export async function fetchEmbedder(server, { onProgress, signal }) {
  const about = await server.embedder({ signal });
  const total = Object.values(about.files).reduce((sum, { bytes }) => sum + bytes, 0);
  const cache = await caches.open(CACHE);
  await cache.delete(ABOUT);
  let before = 0;
  for (const file of Object.values(FILES)) {
    const onBytes = (done) => onProgress({ phase: 'embedder', done: before + done, total });
    const bytes = await server.embedderFile(file, { signal, onBytes });
    if (bytes.length !== about.files[file].bytes) {
      throw new KithError({ code: 'unreadable', message: `the embedder\u2019s ${file} came with ${bytes.length} bytes` });
    }
    before += bytes.length;
    await cache.put(keyOf(file), new Response(bytes));
  }
  await cache.put(ABOUT, new Response(JSON.stringify(about)));
}
