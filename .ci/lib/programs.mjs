// Programs found by their place: the benchmarks and the long proofs.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './run.mjs';

/** The programs of a folder: a map from name to path. */
export function programs(folder, endings) {
  const names = existsSync(join(ROOT, folder)) ? readdirSync(join(ROOT, folder)) : [];
  const found = names.flatMap((file) => {
    const ending = endings.find((candidate) => file.endsWith(candidate));
    return ending ? [[file.slice(0, -ending.length), join(folder, file)]] : [];
  });
  return Object.fromEntries(found);
}
