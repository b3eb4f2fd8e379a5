// The graph beside SQLite and a graph in memory: linking WordNet's relations, what is around an end, the shortest path.
// Usage: npm run bench -- graph [--json] [--rounds N]

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { cacheFolder } from '../.ci/lib/data.mjs';
import { LOCKED, TARGET_FOLDER, output, run } from '../.ci/lib/run.mjs';
import { Refusal, main, step } from '../.ci/lib/say.mjs';
import { aligned, number } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';

const RUNNER = join(TARGET_FOLDER, 'release/kithdb-bench-graph');
const EDGES = join(cacheFolder(), 'wordnet/edges.jsonl');

await main(async (args) => {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '9' } },
  });
  await step('building the runner of the graph', async () => {
    const manifest = ['--manifest-path', 'bench/runners/graph/Cargo.toml', '--target-dir', TARGET_FOLDER];
    await run('cargo', ['build', '--release', '--quiet', ...LOCKED, ...manifest]);
  });
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-graph-'));
  try {
    const told = output(RUNNER, [folder, EDGES, values.rounds], { maxBuffer: 1 << 20 });
    if (told === undefined) throw new Refusal('the runner of the graph has failed');
    if (values.json) console.log(told);
    else print(JSON.parse(told));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function print({ edges, rounds, sqlite, link_s, bytes, around, path }) {
  console.log(`${number(edges)} relations of WordNet; median of ${rounds} rounds, linking the best of ${Math.min(rounds, 3)}`);
  console.log(`revision ${revision()}; SQLite ${sqlite}, WAL, an index of each end; petgraph, in memory; ${cpus()[0].model}`);
  const asked = (what, { questions, engines }) => {
    const us = engines.map(({ s }) => (s / questions) * 1e6);
    const spread = Math.max(...engines.map((engine) => engine.spread)).toFixed(2);
    return [what, ...us.map((time) => time.toFixed(1)), (us[0] / us[1]).toFixed(3), (us[0] / us[2]).toFixed(2), spread];
  };
  const perSecond = (seconds) => number(Math.round(edges / seconds));
  console.log(aligned([
    ['', 'KithDB', 'SQLite', 'petgraph', 'KithDB / SQLite', 'KithDB / petgraph', 'spread'],
    ['linked in a second', perSecond(link_s.kithdb), perSecond(link_s.sqlite), '', (link_s.sqlite / link_s.kithdb).toFixed(2), '', ''],
    asked(`us: within two edges, ${around.found} ids`, around),
    asked(`us: shortest path, ${path.edges.toFixed(1)} edges`, path),
    ['bytes an edge', (bytes.kithdb / edges).toFixed(1), (bytes.sqlite / edges).toFixed(1), '', (bytes.kithdb / bytes.sqlite).toFixed(3), '', ''],
  ]));
}
