// npm run build: everything a user can run, optimised.

import { BUILD_NEEDS, buildRelease } from '../lib/build.mjs';
import { main } from '../lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../lib/system.mjs';

await main(async () => {
  await ensureSystem(BUILD_NEEDS);
  ensureRust();
  await ensureNpmPackages();
  await buildRelease();
});
