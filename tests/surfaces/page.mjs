// The part of the Chromium surface that runs in the page: the engine in IndexedDB, through its public interface.

import { KithError, open } from '/kithdb/browser.js';

import { answering } from './answering.mjs';
import { operations } from './operations.mjs';

/** Each database is opened the next way: here, in a Worker, and as the follower of another opening. All answer the same. */
const WAYS = [
  (name, options) => open(name, options),
  (name, options) => open(name, { ...options, worker: true }),
  async (name, options) => {
    writer = await open(name, { ...options, shared: true });
    return open(name, { ...options, shared: true });
  },
];
let opened = 0;
let hasSync = true;
let writer;

const ops = operations({
  // A directory of the runner is a name here, and an embedder's directory a folder of this site.
  async open(path, { embedder, ...options }) {
    const way = opened % WAYS.length;
    opened += 1;
    const folder = embedder === undefined ? undefined : `/embedder/${embedder.split('/').at(-1)}`;
    const database = await WAYS[way](path, folder === undefined ? options : { ...options, embedder: folder });
    hasSync = way === 0;
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
