// The vectors part once more, over the 20,000 x 100 word vectors of the benchmark `quick`, beside native KithDB: the same
// index, as building it is deterministic, so that a setting finds the same in both and their times can be divided.

import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ENGINES, ensureIndex } from '../vectors/engines.mjs';
import { readTruth } from '../vectors/measure.mjs';
import { ensureSet } from '../vectors/sets.mjs';
import { median } from './numbers.mjs';

const K = 10;

/** The data in the form that pages read: their folder, and what is right for each question. */
export async function prepareGlove() {
  const set = await ensureSet('quick');
  const folder = await mkdtemp(join(tmpdir(), 'kithdb-bench-'));
  await copyFile(join(set.folder, 'base.f32'), join(folder, 'vectors.f32'));
  await copyFile(join(set.folder, 'queries.f32'), join(folder, 'queries.f32'));
  await writeFile(join(folder, 'dim.json'), JSON.stringify(set.dim));
  const truth = readTruth(set.folder, 'truth', set.queries);
  return { set, folder, isRight: truth.map((right) => (id) => right.has(Number(id))) };
}

/** The middle query of native KithDB at each setting, in microseconds. */
export async function native(set, efs, rounds) {
  await ENGINES.kithdb.prepare();
  const { folder } = await ensureIndex('kithdb', set);
  const runner = await ENGINES.kithdb.start();
  try {
    await runner.ask({ op: 'load', data: set.folder, folder });
    const search = (ef) => runner.ask({ op: 'search', k: K, ef });
    for (const ef of efs) await search(ef);
    const times = efs.map(() => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [i, ef] of efs.entries()) times[i].push((await search(ef)).p50_us);
    }
    return efs.map((ef, i) => ({ ef, p50_us: median(times[i]) }));
  } finally {
    await runner.stop();
  }
}
