// Builds and checks the explorer, the application of web/explorer. What it becomes lies in web/dist, where the server
// finds it; it is made again when a source, the interface that it uses, or a package is another.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { sha256 } from './data.mjs';
import { copyChanged, filesOf } from './files.mjs';
import { ROOT, TARGET_FOLDER, run } from './run.mjs';
import { step } from './say.mjs';

const SOURCES = join(ROOT, 'web/explorer');
const DIST = join(ROOT, 'web/dist');

/** Built beside its place: what stays the same keeps its time, so that the server is not compiled again for it. */
export async function buildExplorer() {
  const folder = join(TARGET_FOLDER, 'explorer');
  const stamp = join(folder, 'stamp');
  const read = (folder) => (name) => [name, readFileSync(join(folder, name))];
  const sources = filesOf(SOURCES).map(read(SOURCES));
  const recipe = sha256(readFileSync(join(ROOT, 'package-lock.json')), ...sources.flat());
  const isDone = existsSync(stamp) && existsSync(join(DIST, 'index.html')) && readFileSync(stamp, 'utf8') === recipe;
  if (isDone) return;
  await step('building the explorer', async () => {
    const fresh = join(folder, 'fresh');
    const how = ['build', SOURCES, '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn'];
    await run(process.execPath, [join(ROOT, 'node_modules/vite/bin/vite.js'), ...how], { env: { NODE_ENV: 'production' } });
    const names = filesOf(fresh);
    for (const name of existsSync(DIST) ? filesOf(DIST) : []) if (!names.includes(name)) rmSync(join(DIST, name));
    for (const name of names) copyChanged(join(fresh, name), join(DIST, name));
    writeFileSync(stamp, recipe);
  });
}

/** The types of its TypeScript and of its components. */
export async function checkExplorer() {
  await step('checking the types of the explorer', async () => {
    const how = ['--workspace', SOURCES, '--tsconfig', join(SOURCES, 'tsconfig.json'), '--fail-on-warnings', '--output', 'human'];
    await run(process.execPath, [join(ROOT, 'node_modules/svelte-check/bin/svelte-check'), ...how]);
  });
}
