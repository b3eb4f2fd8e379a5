// The part of the Chromium surface that runs in the page: the engine in IndexedDB and in the origin private file system, through
// its public interface.

import { KithError, open } from '/kithdb/browser.js';

import { answering } from './answering.mjs';
import { operations } from './operations.mjs';

/** Compiled once: each Worker would do it again. */
const wasm = await WebAssembly.compileStreaming(fetch('/kithdb/wasm/kithdb_wasm_bg.wasm'));

const here = (name, options) => open(name, options);
const inWorker = (name, options) => open(name, { ...options, wasm, worker: true });
const following = async (name, options) => {
  writer = await open(name, { ...options, shared: true });
  return open(name, { ...options, shared: true });
};

const inFiles = (name, options) => inWorker(name, { ...options, storage: 'opfs' });

/** How databases in IndexedDB are opened, one after the other: all ways answer the same. A Worker takes the longest to start. */
const WAYS = [here, following, here, inWorker, following, here, following, here];
/** Whether a database is in the origin private file system, as every fourth; only a Worker can open it. */
const isInFiles = new Map();
let opened = 0;
let hasSync = true;
let writer;

const ops = operations({
  // A directory of the runner is a name here, and an embedder's directory a folder of this site.
  async open(path, { embedder, ...options }) {
    if (!isInFiles.has(path)) isInFiles.set(path, isInFiles.size % 4 === 3);
    const way = isInFiles.get(path) ? inFiles : WAYS[opened++ % WAYS.length];
    const folder = embedder === undefined ? undefined : `/embedder/${embedder.split('/').at(-1)}`;
    const database = await way(path, folder === undefined ? options : { ...options, embedder: folder });
    hasSync = way === here;
    return database;
  },
  async afterClose() {
    await writer?.close();
    writer = undefined;
  },
  hasSync: () => hasSync,
  load: async (file) => Uint8Array.from(atob(await globalThis.loadFile(file)), (char) => char.charCodeAt(0)),
  async save(file, bytes) {
    let binary = '';
    for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    await globalThis.saveFile(file, btoa(binary));
  },
});

globalThis.answer = answering(ops, (error) => error instanceof KithError);
