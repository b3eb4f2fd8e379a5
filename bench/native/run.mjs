// A benchmark whose engines all live in one native program, `../runners/NAME`: builds it, runs it on a folder that goes away, prints
// its table, and writes that into docs/BENCHMARKS.md unless an option was given.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { LOCKED, TARGET_FOLDER, output, run } from '../../.ci/lib/run.mjs';
import { Refusal, main, step } from '../../.ci/lib/say.mjs';
import { PAGE, markdown, replaced } from '../vectors/page.mjs';
import { aligned } from '../vectors/print.mjs';
import { cores } from '../vectors/runner.mjs';

/**
 * Runs the benchmark of a name. `options` are its numbers with their defaults, `ask(folder, values)` the arguments of the program,
 * `table(told)` what is shown of its JSON: `{ about, head, rows, after }`. `pinned` has it run on the last core alone.
 */
export function benchmark(name, { options, ask, table, pinned = false }) {
  return main(async (args) => {
    const numbers = Object.entries(options).map(([option, value]) => [option, { type: 'string', default: `${value}` }]);
    const flags = { json: { type: 'boolean', default: false }, 'no-page': { type: 'boolean', default: false } };
    const { values } = parseArgs({ args, options: { ...flags, ...Object.fromEntries(numbers) } });
    await step(`building the runner of ${name}`, async () => {
      const manifest = ['--manifest-path', `bench/runners/${name}/Cargo.toml`, '--target-dir', TARGET_FOLDER];
      await run('cargo', ['build', '--release', '--quiet', ...LOCKED, ...manifest]);
    });
    const folder = mkdtempSync(join(tmpdir(), `kithdb-${name}-`));
    try {
      const runner = [join(TARGET_FOLDER, `release/kithdb-bench-${name}`), ...ask(folder, values)];
      // On the last core only, so that no engine is helped by a second one.
      const isPinned = pinned && output('taskset', ['--version']) !== undefined;
      const [program, ...rest] = isPinned ? ['taskset', '-c', `${cores().at(-1)}`, ...runner] : runner;
      const told = output(program, rest, { maxBuffer: 1 << 20 });
      if (told === undefined) throw new Refusal(`the runner of ${name} has failed`);
      const isWhole = Object.entries(options).every(([option, value]) => values[option] === `${value}`);
      if (values.json) console.log(told);
      show(name, table(JSON.parse(told)), { isPrinted: !values.json, isWritten: isWhole && !values['no-page'] });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function show(name, { about, head, rows, after = [] }, { isPrinted, isWritten }) {
  if (isPrinted) console.log([...about, aligned([head, ...rows]), ...after].join('\n'));
  if (!isWritten) return;
  const text = `\n${about.join('\n')}\n\n${markdown(head, rows)}\n${after.map((line) => `${line}\n\n`).join('')}`;
  writeFileSync(PAGE, replaced(readFileSync(PAGE, 'utf8'), name, text));
}
