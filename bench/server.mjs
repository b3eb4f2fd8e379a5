// What HTTP adds: searches over keep-alive beside those in a process, and batches of JSON beside parsing them.
// Usage: npm run bench -- server [--json] [--no-page] [--documents N] [--rounds N] [--ef N]

import { cpus } from 'node:os';

import { benchmark } from './native/run.mjs';
import { number } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';

await benchmark('server', {
  options: { documents: 100_000, rounds: 9, ef: 64 },
  ask: (folder, { documents, rounds, ef }) => [folder, process.env.KITH_SERVER, documents, rounds, ef],
  table,
});

function table({ documents, dim, k, ef, rounds, batch, search, ingest }) {
  const qps = (name) => number(Math.round(search[name]));
  return {
    about: [
      `${number(documents)} vectors of ${dim} dimensions, top ${k}, ef ${ef}, median of ${rounds} rounds; a client beside the server.`,
      `${cpus()[0].model}, ${cpus().length} cores; recall ${search.recall.toFixed(4)}; revision ${revision()}.`,
    ],
    head: ['', 'queries/s', 'of in process'],
    rows: [
      ['in process, one thread', qps('in_process_qps'), ''],
      ['one connection, JSON', qps('http_qps'), search.http_share.toFixed(2)],
      ['one connection, packed', qps('http_packed_qps'), search.http_packed_share.toFixed(2)],
      [`${search.connections} connections, JSON`, qps('load_qps'), search.load_share.toFixed(2)],
    ],
    after: [
      `Batches of ${number(batch)} as JSON: ${number(Math.round(ingest.documents_per_s))} documents/s, ` +
        `${ingest.over_parsing.toFixed(2)} times parsing the same body alone.`,
    ],
  };
}
