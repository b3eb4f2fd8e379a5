// What stored forms and codes find, take and cost, by the same links at equal widths, on several data sets.
// Usage: npm run bench -- codes [--json] [--only SETS] [--ef LIST] [--no-page]

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { main } from '../.ci/lib/say.mjs';
import { ENGINES, PARAMETERS, ensureIndex } from './vectors/engines.mjs';
import { K, readTruth, recall } from './vectors/measure.mjs';
import { PAGE, markdown, replaced } from './vectors/page.mjs';
import { aligned, describe } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';
import { ensureSet } from './vectors/sets.mjs';

const SETS = ['glove', 'fashion', 'gloss', 'wide'];
const EFS = [64, 128, 256];

await main(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      'no-page': { type: 'boolean', default: false },
      only: { type: 'string' },
      ef: { type: 'string' },
    },
  });
  const efs = values.ef?.split(',').map(Number) ?? EFS;
  const engine = ENGINES.kithdb;
  await engine.prepare();
  const results = [];
  for (const name of values.only?.split(',') ?? SETS) results.push(await compare(await ensureSet(name), engine, efs));
  if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else for (const { set, head, rows } of results) console.log(`\n${describe(set)}\n${aligned([head, ...rows])}`);
  if (!values.only && !values.ef && !values['no-page']) {
    writeFileSync(PAGE, replaced(readFileSync(PAGE, 'utf8'), 'codes', section(results)));
  }
});

async function compare(set, engine, efs) {
  const { folder, built } = await ensureIndex('kithdb', set);
  const runner = await engine.start();
  try {
    await runner.ask({ op: 'load', data: set.folder, folder });
    console.error(`… comparing codes on ${set.name}`);
    const { codes } = await runner.ask({ op: 'codes', data: set.folder, k: K, efs });
    const truth = readTruth(set.folder, 'truth', set.queries);
    const choices = codes.map(({ name, bytes, cpu_s, us, ids }) => ({
      name, bytes, cpu_s, us, recalls: ids.map((found) => recall(found, truth)),
    }));
    return { set, built, choices, ...table(choices, efs, set, built) };
  } finally {
    await runner.stop();
  }
}

/** Recall at each width and what it is beside that of the vectors themselves. */
function table(choices, efs, { dim }, { cpu_s: build }) {
  const [{ recalls: exact }] = choices;
  const beside = (found, at) => {
    const [lost, sign] = [found - exact[at], found >= exact[at] ? '+' : '-'];
    return `${found.toFixed(4)} (${sign}${Math.abs(lost).toFixed(4)})`;
  };
  return {
    head: ['', 'bytes', '/ f32', ...efs.map((ef) => `ef ${ef}`), ...efs.map((ef) => `µs, ef ${ef}`), 'encoding, CPU s', '/ build'],
    rows: choices.map(({ name, bytes, cpu_s, us, recalls }, i) => [
      name, bytes.toFixed(0), (bytes / (dim * 4)).toFixed(3),
      ...recalls.map((found, at) => (i === 0 ? found.toFixed(4) : beside(found, at))),
      ...efs.map((_, at) => us[at]?.toFixed(1) ?? '-'),
      cpu_s > 0 ? cpu_s.toFixed(1) : '-', cpu_s > 0 ? (cpu_s / build).toFixed(2) : '-',
    ]),
  };
}

function section(results) {
  const about = `M ${PARAMETERS.m}, efConstruction ${PARAMETERS.ef_construction}, top 10; revision ${revision()}; ${cpus()[0].model}.`;
  const parts = results.map(({ set, head, rows }) => `**${describe(set)}**\n\n${markdown(head, rows)}`);
  return `\n${about}\n\n${parts.join('\n')}\n`;
}
