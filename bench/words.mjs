// Words beside tantivy: indexing the glosses of WordNet, postings on disk, and the ten best of a thousand queries.
// Usage: npm run bench -- words [--json] [--rounds N]

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { LOCKED, TARGET_FOLDER, output, run } from '../.ci/lib/run.mjs';
import { Refusal, main, step } from '../.ci/lib/say.mjs';
import { aligned, number } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';
import { cores } from './vectors/runner.mjs';

const ROUNDS = 9;
const RUNNER = join(TARGET_FOLDER, 'release/kithdb-bench-words');

await main(async (args) => {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: `${ROUNDS}` } },
  });
  const cache = process.env.KITH_CACHE;
  if (!cache) throw new Refusal('KITH_CACHE is not set: run npm run bench -- words');
  await step('building the runner of words', async () => {
    const manifest = ['--manifest-path', 'bench/runners/words/Cargo.toml', '--target-dir', TARGET_FOLDER];
    await run('cargo', ['build', '--release', '--quiet', ...LOCKED, ...manifest]);
  });
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-words-'));
  try {
    const asked = [RUNNER, join(cache, 'wordnet/documents.jsonl'), folder, values.rounds];
    // On the last core only, so that no engine is helped by a second one.
    const pinned = output('taskset', ['--version']) === undefined ? [] : ['taskset', '-c', `${cores().at(-1)}`];
    const [program, ...rest] = [...pinned, ...asked];
    const told = output(program, rest, { maxBuffer: 1 << 20 });
    if (told === undefined) throw new Refusal('the runner of words has failed');
    if (values.json) console.log(told);
    else print(JSON.parse(told));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function print({ documents, queries, rounds, common, kithdb, tantivy }) {
  console.log(`WordNet, ${number(documents)} glosses, ${number(queries)} queries of 1 to 4 words, top 10, median of ${rounds} rounds`);
  console.log(`revision ${revision()}; ${cpus()[0].model}; processor time of one core`);
  const row = (what, key, digits) => [
    what, kithdb[key].toFixed(digits), tantivy[key].toFixed(digits), (kithdb[key] / tantivy[key]).toFixed(2),
  ];
  console.log(aligned([
    ['', 'KithDB', 'tantivy', 'ratio'],
    row('queries/s, postings alone', 'rank_qps', 0),
    row('queries/s, with documents', 'search_qps', 0),
    row('indexing, MB of text/s', 'index_mb_per_s', 2),
    row('bytes of postings', 'posting_bytes', 0),
    row('slowest round / quickest', 'spread', 2),
  ]));
  console.log(`of ten results ${(common * 10).toFixed(1)} are common: tantivy rounds lengths`);
}
