// What HTTP adds: searches through the server beside those in a process, and batches of JSON beside parsing them.
// Usage: npm run bench -- server [--json] [--documents N] [--rounds N] [--ef N]

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { LOCKED, TARGET_FOLDER, output, run } from '../.ci/lib/run.mjs';
import { Refusal, main, step } from '../.ci/lib/say.mjs';
import { aligned, number } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';

const RUNNER = join(TARGET_FOLDER, 'release/kithdb-bench-server');

await main(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      documents: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '9' },
      ef: { type: 'string', default: '64' },
    },
  });
  const server = process.env.KITH_SERVER;
  if (!server || !existsSync(server)) throw new Refusal('there is no server: run npm run bench -- server');
  await step('building the client', async () => {
    const manifest = ['--manifest-path', 'bench/runners/server/Cargo.toml', '--target-dir', TARGET_FOLDER];
    await run('cargo', ['build', '--release', '--quiet', ...LOCKED, ...manifest]);
  });
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-server-'));
  try {
    const told = output(RUNNER, [folder, server, values.documents, values.rounds, values.ef], { maxBuffer: 1 << 20 });
    if (told === undefined) throw new Refusal('the client has failed');
    if (values.json) console.log(told);
    else print(JSON.parse(told));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function print({ documents, dim, k, ef, rounds, batch, search, ingest }) {
  console.log(`${number(documents)} vectors of ${dim} dimensions, top ${k}, ef ${ef}, one client, median of ${rounds} rounds`);
  console.log(`revision ${revision()}; ${cpus()[0].model}, ${cpus().length} cores; recall ${search.recall.toFixed(4)}`);
  console.log(aligned([
    ['', 'queries/s', 'of in process'],
    ['in process', number(Math.round(search.in_process_qps)), ''],
    ['over keep-alive, JSON', number(Math.round(search.http_qps)), search.http_share.toFixed(2)],
    ['over keep-alive, packed', number(Math.round(search.http_packed_qps)), search.http_packed_share.toFixed(2)],
  ]));
  console.log(`batches of ${number(batch)} as JSON: ${number(Math.round(ingest.documents_per_s))} documents/s, ` +
    `${ingest.over_parsing.toFixed(2)} times parsing the same body alone`);
}
