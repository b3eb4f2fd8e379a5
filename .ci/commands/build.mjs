// npm run build: everything a user can run, optimised.

import { buildRelease } from '../lib/build.mjs';
import { main } from '../lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../lib/system.mjs';

await main(async () => {
  await ensureSystem(['linker', 'certificates']);
  ensureRust();
  await ensureNpmPackages();
  await buildRelease();
});
