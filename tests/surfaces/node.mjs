// The Node package as a surface, through its public interface.

import { readFile, writeFile } from 'node:fs/promises';

import { KithError, open, openMemory } from 'kithdb';

import { answering } from './answering.mjs';
import { operations } from './operations.mjs';
import { serve } from './protocol.mjs';

const ops = operations({
  open: (path, options) => (path === null || path === undefined ? openMemory(options) : open(path, options)),
  load: (file) => readFile(file),
  save: (file, bytes) => writeFile(file, bytes),
});

await serve(answering(ops, (error) => error instanceof KithError));
await ops.close();
