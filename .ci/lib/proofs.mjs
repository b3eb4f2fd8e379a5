// Adds what long proofs have counted to the table in docs/RELIABILITY.md, which is where it is kept.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { lines } from './counts.mjs';
import { ROOT } from './run.mjs';

const PAGE = join(ROOT, 'docs/RELIABILITY.md');
const BEGIN = '<!-- counted by npm run prove -->\n';
const END = '<!-- end of what was counted -->\n';
const HEAD = '| proof | runs | counted in all of them |\n|---|---|---|\n';

/** What is no sum: the most of any run is kept. */
const MOST = new Set(['collections', 'descriptors', 'threads']);

/** Takes the output of a proof; `save` adds what it counted to the page. A proof that fails counts nothing. */
export function tally() {
  const counted = [];
  const take = lines((line) => {
    const found = count(line);
    if (found) counted.push(found);
  });
  return {
    take,
    save() {
      take('\n');
      if (counted.length > 0) writeFileSync(PAGE, added(readFileSync(PAGE, 'utf8'), counted));
    },
  };
}

/** What a line counts: `[name, [[key, count], ...]]`. The first line that a Rust test prints stands behind its name. */
export function count(line) {
  const [, name, rest] = /^(?:test \S+ \.\.\. )?counted: (\S+)((?: \S+=\d+)+)$/.exec(line.trim()) ?? [];
  return name && [name, rest.trim().split(' ').map((pair) => pair.split('='))];
}

/** The page with these counts in its table: `[name, [[key, count], ...]]` each. */
export function added(page, counted) {
  const [before, rest] = page.split(BEGIN);
  const [table, after] = rest.split(END);
  const rows = new Map(table.split('\n').map(row).filter(Boolean));
  for (const [name, pairs] of counted) {
    const { runs, counts } = rows.get(name) ?? { runs: 0, counts: new Map() };
    for (const [key, text] of pairs) {
      const [old, now] = [counts.get(key) ?? 0, Number(text)];
      counts.set(key, MOST.has(key) ? Math.max(old, now) : old + now);
    }
    rows.set(name, { runs: runs + 1, counts });
  }
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${before}${BEGIN}${HEAD}${sorted.map(written).join('')}${END}${after}`;
}

function row(line) {
  const [, name, runs, cells] = /^\| ([a-z0-9-]+) \| ([\d,]+) \| (.*) \|$/.exec(line) ?? [];
  if (!name) return undefined;
  const counts = cells.split('; ').map((cell) => {
    const [, key, count] = /^(\S+) ([\d,]+)$/.exec(cell);
    return [key, number(count)];
  });
  return [name, { runs: number(runs), counts: new Map(counts) }];
}

const number = (text) => Number(text.replaceAll(',', ''));

function written([name, { runs, counts }]) {
  const cells = [...counts].map(([key, count]) => `${key} ${count.toLocaleString('en')}`);
  return `| ${name} | ${runs.toLocaleString('en')} | ${cells.join('; ')} |\n`;
}
