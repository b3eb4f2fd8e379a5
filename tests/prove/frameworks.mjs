// The examples over other packages' interfaces, each with its own npm packages: LangChain.js asks the twelve cases of its
// standard tests, the AI SDK has a language model look something up.

import { join } from 'node:path';

import { buildForNode } from '../../.ci/lib/build.mjs';
import { ROOT, run } from '../../.ci/lib/run.mjs';
import { main, step } from '../../.ci/lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../../.ci/lib/system.mjs';

await main(async () => {
  await ensureSystem(['linker', 'certificates']);
  ensureRust();
  await ensureNpmPackages();
  await buildForNode();
  for (const folder of ['examples/langchain', 'examples/ai-sdk']) {
    await ensureNpmPackages(folder);
    await step(`trying ${folder}`, () => run('npm', ['test', '--silent'], { cwd: join(ROOT, folder) }));
  }
});
