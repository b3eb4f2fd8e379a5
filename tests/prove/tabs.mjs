// Four pages share a database and write to it for as long as it is given, while pages, two of three times the one that has
// it open, are closed, crashed and frozen: nothing that was acknowledged is lost.

import { launchPiped } from '../browser/pipe.mjs';
import { startSite } from '../browser/site.mjs';
import { fourPages } from '../browser/tabs.mjs';
import { BUILD_NEEDS, buildForBrowser } from '../../.ci/lib/build.mjs';
import { main, step } from '../../.ci/lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../../.ci/lib/system.mjs';

const seconds = Number(process.env.KITH_PROVE_SECONDS ?? 60);

await main(async () => {
  await ensureSystem([...BUILD_NEEDS, 'chromium']);
  ensureRust();
  await ensureNpmPackages();
  await buildForBrowser();
  const site = await startSite('/browser/tabs-page.mjs');
  const browser = await launchPiped();
  try {
    await step(`sharing a database for ${seconds} s`, async () => {
      const until = Date.now() + 1000 * seconds;
      const context = await browser.context();
      const figures = await fourPages({ context, origin: site.origin, goesOn: () => Date.now() < until });
      console.log(`counted: tabs ${Object.entries(figures).map((pair) => pair.join('=')).join(' ')}`);
    });
  } finally {
    await browser.close();
    await site.stop();
  }
});
