// Writes what was measured into docs/BENCHMARKS.md, between the marks of its data set, and the plot beside it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../.ci/lib/run.mjs';
import { chart } from './chart.mjs';
import { describe, loadOf, tables } from './print.mjs';

/** The page that holds all figures. */
export const PAGE = join(ROOT, 'docs/BENCHMARKS.md');

/** Replaces the section of a data set. */
export async function writePage(result) {
  const { name } = result.set;
  writeFileSync(PAGE, replaced(readFileSync(PAGE, 'utf8'), name, section(result)));
  writeFileSync(join(ROOT, `docs/images/bench-${name}.svg`), plot(result));
}

/** A page with another text between the marks of a name. */
export function replaced(page, name, text) {
  const [begin, end] = [`<!-- measured by npm run bench -- ${name} -->\n`, `<!-- end of ${name} -->\n`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no marks of ${name}: expected ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}${text}${page.slice(to)}`;
}

/** The Markdown of a result. */
export function section(result) {
  const { set, rounds, machine, parameters, revision } = result;
  const about = [
    `${describe(set)}; from ${set.from}.`,
    `M ${parameters.m}, efConstruction ${parameters.ef_construction}, top 10, median of ${rounds} rounds; revision ${revision}.`,
    `${machine.processor}, ${machine.cores} cores; ${loadOf(machine)}.`,
  ];
  const parts = tables(result).map(({ title, head, rows }) => `**${title}**\n\n${markdown(head, rows)}`);
  return `\n${about.join('\n')}\n\n![recall and queries a second on ${set.name}](images/bench-${set.name}.svg)\n\n${parts.join('\n')}\n`;
}

/** A table. */
export function markdown(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')).replaceAll(' ', '') + rows.map(line).join('');
}

function plot({ set, engines }) {
  const curves = Object.values(engines).map(({ name, points }) => ({ name, points: points.map(({ recall, qps }) => [recall, qps]) }));
  return chart({ title: describe(set), x: 'recall of the 10 nearest', y: 'queries a second of one core', curves });
}
