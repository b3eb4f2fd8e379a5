// The files of an embedder: given, or fetched from a folder of a web server.

import { KithError, invalidRequest } from '../errors.js';

/** An embedder: its name, by which collections know it, and its two files. */
export interface EmbedderFiles {
  /** What collections call it. */
  name: string;
  /** The bytes of `model.safetensors`. */
  model: Uint8Array;
  /** The bytes of `tokenizer.json`. */
  tokenizer: Uint8Array;
}

/** The files of an embedder; a string is the URL of a folder that has them, and its last segment the name. */
export async function embedderFiles(embedder: unknown): Promise<EmbedderFiles | undefined> {
  if (embedder === undefined || embedder === null) return undefined;
  if (typeof embedder === 'string') return fetchFolder(embedder);
  const { name, model, tokenizer } = embedder as Partial<EmbedderFiles>;
  if (typeof name !== 'string' || !(model instanceof Uint8Array) || !(tokenizer instanceof Uint8Array)) {
    throw invalidRequest('an embedder that is a URL, or has a name, a model and a tokenizer', embedder);
  }
  return { name, model, tokenizer };
}

async function fetchFolder(folder: string): Promise<EmbedderFiles> {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  const withSlash = folder.endsWith('/') ? folder : `${folder}/`;
  if (!URL.canParse(withSlash, base)) throw invalidRequest('the URL of an embedder', folder);
  const url = new URL(withSlash, base);
  const name = decodeURIComponent(url.pathname.split('/').at(-2) ?? '');
  if (name === '') throw invalidRequest('the URL of an embedder, whose last part is its name,', folder);
  const files = ['model.safetensors', 'tokenizer.json'].map((file) => fetchFile(new URL(file, url)));
  const [model, tokenizer] = (await Promise.all(files)) as [Uint8Array, Uint8Array];
  return { name, model, tokenizer };
}

async function fetchFile(url: URL): Promise<Uint8Array> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const message = `could not fetch the embedder's file ${url}: ${error instanceof Error ? error.message : error}`;
    throw new KithError({ code: 'io_failed', message, hint: 'serve the folder from this origin, or pass the files' }, error);
  }
}
