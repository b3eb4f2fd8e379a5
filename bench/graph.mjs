// The graph beside SQLite and a graph in memory: linking WordNet's relations, what is around an end, the shortest path.
// Usage: npm run bench -- graph [--json] [--no-page] [--rounds N]

import { cpus } from 'node:os';
import { join } from 'node:path';

import { cacheFolder } from '../.ci/lib/data.mjs';
import { benchmark } from './native/run.mjs';
import { number } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';

await benchmark('graph', {
  options: { rounds: 9 },
  ask: (folder, { rounds }) => [folder, join(cacheFolder(), 'wordnet/edges.jsonl'), rounds],
  table,
});

function table({ edges, rounds, sqlite, link_s, bytes, around, path }) {
  const asked = (what, { questions, engines }) => {
    const us = engines.map(({ s }) => (s / questions) * 1e6);
    const spread = Math.max(...engines.map((engine) => engine.spread)).toFixed(2);
    return [what, ...us.map((time) => time.toFixed(1)), (us[0] / us[1]).toFixed(3), (us[0] / us[2]).toFixed(2), spread];
  };
  const perSecond = (seconds) => number(Math.round(edges / seconds));
  const linked = [link_s.kithdb, link_s.sqlite];
  return {
    about: [
      `${number(edges)} relations of WordNet; median of ${rounds} rounds, linking the best of ${Math.min(rounds, 3)}.`,
      `SQLite ${sqlite}, WAL, an index of each end; petgraph, in memory; ${cpus()[0].model}; revision ${revision()}.`,
    ],
    head: ['', 'KithDB', 'SQLite', 'petgraph', 'KithDB / SQLite', 'KithDB / petgraph', 'spread'],
    rows: [
      ['linked in a second', ...linked.map(perSecond), '', (linked[1] / linked[0]).toFixed(2), '', ''],
      asked(`us: within two edges, ${around.found} ids`, around),
      asked(`us: shortest path, ${path.edges.toFixed(1)} edges`, path),
      ['bytes an edge', (bytes.kithdb / edges).toFixed(1), (bytes.sqlite / edges).toFixed(1), '', (bytes.kithdb / bytes.sqlite).toFixed(3), '', ''],
    ],
  };
}
