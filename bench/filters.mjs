// Filters beside SQLite: how many of a million documents have one category, and a size between two bounds.
// Usage: npm run bench -- filters [--json] [--no-page] [--documents N] [--rounds N]

import { cpus } from 'node:os';

import { benchmark } from './native/run.mjs';
import { number } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';

const ENGINES = ['kithdb', 'sqlite', 'sqlite_compound'];

await benchmark('filters', {
  options: { documents: 1_000_000, rounds: 9 },
  pinned: true,
  ask: (folder, { documents, rounds }) => [folder, documents, rounds],
  table,
});

function table({ documents, rounds, queries, sqlite, build_s, widths }) {
  const row = ({ width, found, ...engines }) => [
    `${width * 100} % of sizes, ${number(found)} found`,
    ...ENGINES.map((name) => engines[name].us.toFixed(1)),
    (engines.kithdb.us / engines.sqlite.us).toFixed(3),
    Math.max(...Object.values(engines).map(({ spread }) => spread)).toFixed(2),
  ];
  return {
    about: [
      `COUNT of category = x AND size BETWEEN a AND b over ${number(documents)} documents, 100 categories.`,
      `${queries} queries of each width, median of ${rounds} rounds; SQLite ${sqlite}; revision ${revision()}.`,
      `${cpus()[0].model}; processor time of one core, microseconds a query.`,
    ],
    head: ['', 'KithDB', 'SQLite, an index each', 'SQLite, one of both', 'KithDB / SQLite', 'spread'],
    rows: [...widths.map(row), ['seconds to store all', ...ENGINES.map((name) => build_s[name].toFixed(1)), '', '']],
  };
}
