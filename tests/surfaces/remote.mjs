// The package's client as a surface: over a real server, which is started anew whenever a database is opened.

import { readFile, writeFile } from 'node:fs/promises';

import { KithError, connect } from 'kithdb';

import { startServer } from '../js/server.mjs';
import { answering } from './answering.mjs';
import { operations } from './operations.mjs';
import { serve } from './protocol.mjs';

let server;

/** Flags of the server, by the names of the options of `open`. */
const FLAGS = { embedder: '--embedder', durability: '--durability' };

async function open(path, options) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  server = await startServer(path, ...given.flatMap(([name, value]) => [FLAGS[name], value]));
  return connect(server.address);
}

const ops = operations({
  open,
  async afterClose() {
    await server?.stop();
    server = undefined;
  },
  load: (file) => readFile(file),
  save: (file, bytes) => writeFile(file, bytes),
  hasSync: () => false,
});

await serve(answering(ops, (error) => error instanceof KithError));
await ops.close();
