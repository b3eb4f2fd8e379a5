// The part of the Chromium surface that runs in the page: the engine in IndexedDB, through its public interface.

import { KithError, open } from '/kithdb/browser.js';

import { answering } from './answering.mjs';
import { operations } from './operations.mjs';

const ops = operations({
  // A directory of the runner is a name here, and an embedder's directory a folder of this site.
  open: (path, { embedder, ...options }) =>
    open(path, embedder === undefined ? options : { ...options, embedder: `/embedder/${embedder.split('/').at(-1)}` }),
  load: async (file) => Uint8Array.from(atob(await globalThis.loadFile(file)), (char) => char.charCodeAt(0)),
  async save(file, bytes) {
    let binary = '';
    for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    await globalThis.saveFile(file, btoa(binary));
  },
});

globalThis.answer = answering(ops, (error) => error instanceof KithError);
