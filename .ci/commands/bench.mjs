// npm run bench: the programs of bench/. `npm run bench -- NAME [--json ...]` runs one; without a name it lists them.
// A program is bench/NAME.mjs, or a binary of the Rust package bench/ (bench/src/bin/NAME.rs).

import { BUILD_NEEDS, buildRelease, serverBinary } from '../lib/build.mjs';
import { cacheFolder, dataNeeds, ensureEmbedder, ensureWordnet } from '../lib/data.mjs';
import { programs } from '../lib/programs.mjs';
import { run } from '../lib/run.mjs';
import { main } from '../lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../lib/system.mjs';

/**
 * What a program needs beside what all need: things of the machine, npm packages that it measures against, the product
 * as it is built for users, and the data of the demo.
 */
const PRODUCT = { product: true, demo: true };
const VECTORS = { system: ['pip', 'cxx', 'pythonHeaders'], product: true };
const NEEDS = {
  browser: { ...PRODUCT, system: ['chromium'], peers: 'bench/peers' },
  glove: VECTORS,
  sift: VECTORS,
  fashion: VECTORS,
  // From Rust alone, to be quick.
  quick: { ...VECTORS, product: false },
};

await main(async ([name, ...rest]) => {
  const known = { ...programs('bench', ['.mjs']), ...programs('bench/src/bin', ['.rs']) };
  if (!(name in known)) {
    console.log(`npm run bench -- NAME [--json]\nthere are: ${Object.keys(known).sort().join(', ') || 'none yet'}`);
    if (name) process.exitCode = 1;
    return;
  }
  const { system = [], peers, product, demo } = NEEDS[name] ?? PRODUCT;
  await ensureSystem([...(product ? BUILD_NEEDS : ['linker', 'certificates']), ...(demo ? dataNeeds() : []), ...system]);
  ensureRust();
  const env = { KITH_CACHE: cacheFolder(), KITH_SERVER: serverBinary('release') };
  if (known[name].endsWith('.mjs')) {
    if (product) await ensureNpmPackages();
    if (peers) await ensureNpmPackages(peers);
    if (product) await buildRelease();
    if (demo) await ensureWordnet();
    if (demo) await ensureEmbedder();
    await run(process.execPath, [known[name], ...rest], { env });
  } else {
    // A workspace of its own: the peers it measures against are never compiled with the product.
    const chosen = ['--manifest-path', 'bench/Cargo.toml', '--bin', name];
    await run('cargo', ['run', '--release', '--quiet', ...chosen, '--', ...rest], { env });
  }
});
