// A database on the server of this page, over /v1. Used by the page, and by the engine's Worker to copy from.

import { KithError } from './errors.js';

/** The database behind this page. */
export function connectServer(base = '/v1') {
  return {
    /** What each collection is and holds, and those that are damaged, each with a name and its error. */
    async collections({ signal } = {}) {
      const { collections, unopenable = [] } = await ask(`${base}/collections`, { signal });
      return { collections, unopenable };
    },

    /** What to type into a terminal to store the first document; it makes the collection when asked to. */
    firstSteps(name, document, { create }) {
      const at = new URL(`${base}/collections`, location.href).href;
      const add = asCurl(`${at}/${encodeURIComponent(name)}/documents`, { documents: [document] });
      return create ? [asCurl(at, { name, text: {} }), add] : [add];
    },

    collection(name) {
      const path = `${base}/collections/${encodeURIComponent(name)}`;
      const search = `${path}/search`;
      return {
        name,
        /** Hits and warnings. Rejects with a KithError, or an AbortError when the signal says so. */
        search: (request, { signal } = {}) => ask(search, { method: 'POST', body: request, signal }),
        /** The same search for a terminal. */
        asCode: (request) => asCurl(new URL(search, location.href).href, request),
        /** What is around documents, as the graph of the collection tells it. */
        subgraph: (request, { signal } = {}) => ask(`${path}/graph/subgraph`, { method: 'POST', body: request, signal }),
        /** The collection as one file; `onBytes(done, total)` while it comes. */
        file: (options) => fetchBytes(`${path}/export`, options),
      };
    },

    /** Name, dimension, hash and files of the server's embedder; `no_embedder` when it has none. */
    embedder: ({ signal } = {}) => ask(`${base}/embedder`, { signal }),
    /** One of its files. */
    embedderFile: (name, options) => fetchBytes(`${base}/embedder/${encodeURIComponent(name)}`, options),
    /** Nothing has to be let go. */
    close: async () => {},
  };
}

async function ask(path, { method = 'GET', body, signal }) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await send(path, { method, headers, body: body && JSON.stringify(body), signal });
  const answer = await readJson(response);
  if (response.ok && answer !== undefined) return answer;
  throw refusal(response, answer);
}

/** A file, which the browser keeps only if whoever asked does. `onBytes(done, total)`; total 0 when it is not known. */
async function fetchBytes(path, { signal, onBytes = () => {} } = {}) {
  const response = await send(path, { signal, cache: 'no-store' });
  if (!response.ok) throw refusal(response, await readJson(response));
  const total = Number(response.headers.get('content-length') ?? 0);
  const pieces = [];
  let done = 0;
  try {
    const reader = response.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      pieces.push(read.value);
      done += read.value.length;
      onBytes(done, total);
    }
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new KithError({ code: 'unreachable', message: 'the server stopped in the middle of its answer' });
  }
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new KithError({ code: 'unreachable', message: 'the server does not answer' });
  }
}

/** The answer; undefined when it is no JSON. */
async function readJson(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    return undefined;
  }
}

/** What has no code comes from something between us and the server. */
function refusal({ status, statusText }, answer) {
  if (answer?.code) return new KithError(answer);
  const message = `the server answered ${status} ${statusText}`.trim();
  return new KithError({ code: 'unreadable', message, hint: 'look at the server\u2019s output for the reason' });
}

function asCurl(url, request) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return `curl -s ${quoted(url)} \\\n  -H 'content-type: application/json' \\\n  -d ${quoted(JSON.stringify(request))}`;
}
