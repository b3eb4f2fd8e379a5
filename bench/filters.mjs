// Filters beside SQLite: how many of a million documents have one category, and a size between two bounds.
// Usage: npm run bench -- filters [--json] [--documents N] [--rounds N]

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { LOCKED, TARGET_FOLDER, output, run } from '../.ci/lib/run.mjs';
import { Refusal, main, step } from '../.ci/lib/say.mjs';
import { aligned, number } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';
import { cores } from './vectors/runner.mjs';

const RUNNER = join(TARGET_FOLDER, 'release/kithdb-bench-filters');

await main(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      documents: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '9' },
    },
  });
  await step('building the runner of filters', async () => {
    const manifest = ['--manifest-path', 'bench/runners/filters/Cargo.toml', '--target-dir', TARGET_FOLDER];
    await run('cargo', ['build', '--release', '--quiet', ...LOCKED, ...manifest]);
  });
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-filters-'));
  try {
    // On the last core only, so that no engine is helped by a second one.
    const pinned = output('taskset', ['--version']) === undefined ? [] : ['taskset', '-c', `${cores().at(-1)}`];
    const [program, ...rest] = [...pinned, RUNNER, folder, values.documents, values.rounds];
    const told = output(program, rest, { maxBuffer: 1 << 20 });
    if (told === undefined) throw new Refusal('the runner of filters has failed');
    if (values.json) console.log(told);
    else print(JSON.parse(told));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function print({ documents, rounds, queries, sqlite, build_s, widths }) {
  console.log(`COUNT of category = x AND size BETWEEN a AND b over ${number(documents)} documents, 100 categories`);
  console.log(`${queries} queries of each width, median of ${rounds} rounds; revision ${revision()}; SQLite ${sqlite}`);
  console.log(`${cpus()[0].model}; processor time of one core, microseconds a query`);
  const row = ({ width, found, ...engines }) => [
    `${width * 100} % of sizes, ${number(found)} found`,
    ...['kithdb', 'sqlite', 'sqlite_compound'].map((name) => engines[name].us.toFixed(1)),
    (engines.kithdb.us / engines.sqlite.us).toFixed(3),
    Math.max(...Object.values(engines).map(({ spread }) => spread)).toFixed(2),
  ];
  console.log(aligned([
    ['', 'KithDB', 'SQLite, an index each', 'SQLite, one of both', 'KithDB / SQLite', 'spread'],
    ...widths.map(row),
    ['seconds to store all', ...['kithdb', 'sqlite', 'sqlite_compound'].map((name) => build_s[name].toFixed(1)), '', ''],
  ]));
}
