// Tables of what the vector benchmarks measured, for a terminal and, with bars, for the page.

/** Prints all that was measured. */
export function print(result) {
  const { set, rounds, machine, parameters } = result;
  console.log(`\n${describe(set)}, M ${parameters.m}, efConstruction ${parameters.ef_construction}, top 10, median of ${rounds} rounds`);
  console.log(`${machine.processor}, ${machine.cores} cores; ${loadOf(machine)}`);
  for (const { title, head, rows } of tables(result)) console.log(`\n${title}\n${aligned([head, ...rows])}`);
  for (const [key, { name, points }] of Object.entries(result.engines)) {
    const row = ({ ef, recall, qps, spread, busy }) => [`${ef}`, recall.toFixed(4), number(qps), spread.toFixed(2), busy.toFixed(2)];
    console.log(`\n${name} (${key})\n${aligned([['ef', 'recall', 'QPS', 'spread', 'busy'], ...points.map(row)])}`);
  }
}

/** A data set in a few words. */
export function describe({ name, count, dim, metric, queries }) {
  return `${name}: ${number(count)} vectors of ${dim} dimensions, ${metric}, ${number(queries)} queries`;
}

/** How busy the machine was. */
export function loadOf({ spread, busy }) {
  return `slowest round ${spread.toFixed(2)} times the quickest, ${busy.toFixed(2)} s waited and worked for each second of work`;
}

/** The tables of a result: title, head, and rows of text. */
export function tables(result) {
  const engines = Object.entries(result.engines);
  const found = [speeds(result, engines), builds(engines)];
  if (result.filters) found.push(filters(result.filters));
  const said = sayings(result);
  if (said.length > 0) found.push({ title: 'Other ratios', head: ['what', 'ratio'], rows: said });
  return found;
}

function speeds({ at }, engines) {
  return {
    title: 'Queries a second of one core at equal recall',
    head: ['recall', ...engines.map(([, { name }]) => name), 'KithDB / hnswlib', 'KithDB / best peer'],
    rows: at.map(({ recall, qps, to_hnswlib, best, to_best }) => [
      `${recall}`,
      ...engines.map(([key]) => (qps[key] ? `${qps[key].atLeast ? '> ' : ''}${number(qps[key].qps)}` : '-')),
      ratio(to_hnswlib),
      to_best ? `${ratio(to_best)} (${best})` : '-',
    ]),
  };
}

function builds(engines) {
  const own = engines.filter(([key]) => !key.endsWith('-node'));
  const first = own.find(([key]) => key === 'hnswlib')?.[1];
  return {
    title: 'Build on one thread, and memory',
    head: ['', 'version', 'CPU s', '/ hnswlib', 'memory MiB', '/ hnswlib'],
    rows: own.map(([, { name, version, built, memory }]) => [
      name, version,
      built.cpu_s.toFixed(1), first ? (built.cpu_s / first.built.cpu_s).toFixed(2) : '-',
      (memory.bytes / 1024 ** 2).toFixed(0), first ? (memory.bytes / first.memory.bytes).toFixed(2) : '-',
    ]),
  };
}

function filters(all) {
  return {
    title: 'KithDB among some of its documents, at a recall of 0.95 among these',
    head: ['which', 'QPS', '/ among all', 'recall at ef 64'],
    rows: all.map(({ what, qps, ratio: to, points }) => [
      what,
      qps ? `${qps.atLeast ? '> ' : ''}${number(qps.qps)}` : '-',
      ratio(to),
      points.find(({ ef }) => ef === 64).recall.toFixed(4),
    ]),
  };
}

function sayings({ engines, node }) {
  const { built, built_on_two: two } = engines.kithdb ?? {};
  const said = [];
  if (two) said.push(['build on 2 threads, times as quick by the clock', (built.wall_s / two.wall_s).toFixed(2)]);
  if (node) said.push([`\`searchSync\` from Node / from Rust, ef ${node.ef}`, node.ratio.toFixed(2)]);
  return said;
}

const ratio = (found) => (found ? `${found.atLeast ? '> ' : ''}${found.ratio.toFixed(2)}` : '-');

/** 12,345. */
export function number(x) {
  return Math.round(x).toLocaleString('en');
}

/** Columns as wide as they must be; the first to the left, numbers to the right. */
export function aligned(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`).join('\n');
}
