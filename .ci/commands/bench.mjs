// npm run bench: the programs of bench/. `npm run bench -- NAME [--json ...]` runs one; without a name it lists them.
// A program is bench/NAME.mjs, or a binary of the Rust package bench/ (bench/src/bin/NAME.rs).

import { BUILD_NEEDS, buildForNode, buildRelease, serverBinary } from '../lib/build.mjs';
import { cacheFolder, dataNeeds, ensureEmbedder, ensureWordnet } from '../lib/data.mjs';
import { programs } from '../lib/programs.mjs';
import { run } from '../lib/run.mjs';
import { main } from '../lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../lib/system.mjs';

/** All that is built for users, and the data of the demo. */
const PRODUCT = { build: buildRelease, needs: BUILD_NEEDS, demo: true };
const VECTORS = { system: ['pip', 'cxx', 'pythonHeaders'] };
/** What each program needs: a build of the product, things of the machine, npm packages that it measures against, data. */
const NEEDS = {
  browser: { ...PRODUCT, system: [...VECTORS.system, 'chromium'], peers: 'bench/peers' },
  glove: { ...VECTORS, build: buildForNode },
  sift: VECTORS,
  fashion: VECTORS,
  gloss: VECTORS,
  wide: VECTORS,
  codes: VECTORS,
  quick: VECTORS,
  words: { wordnet: true },
  filters: { system: ['cxx'] },
  server: { build: buildRelease, needs: BUILD_NEEDS },
  explorer: { build: buildRelease, needs: BUILD_NEEDS, system: ['chromium'] },
  pictures: { ...PRODUCT, system: ['chromium'] },
  graph: { system: ['cxx'], wordnet: true },
  relevance: { build: buildForNode, system: ['pip'], demo: true },
  distil: { system: ['pip'], wordnet: true },
};

await main(async ([name, ...rest]) => {
  const known = { ...programs('bench', ['.mjs']), ...programs('bench/src/bin', ['.rs']) };
  if (!(name in known)) {
    console.log(`npm run bench -- NAME [--json]\nthere are: ${Object.keys(known).sort().join(', ') || 'none yet'}`);
    if (name) process.exitCode = 1;
    return;
  }
  const { build, needs = ['linker', 'certificates'], system = [], peers, demo, wordnet = demo } = NEEDS[name] ?? PRODUCT;
  await ensureSystem([...needs, ...(demo ? dataNeeds() : []), ...system]);
  ensureRust();
  const env = { KITH_CACHE: cacheFolder(), KITH_SERVER: serverBinary('release') };
  if (known[name].endsWith('.mjs')) {
    await ensureNpmPackages();
    if (peers) await ensureNpmPackages(peers);
    await build?.();
    if (wordnet) await ensureWordnet();
    if (demo) await ensureEmbedder();
    await run(process.execPath, [known[name], ...rest], { env });
  } else {
    // A workspace of its own: the peers it measures against are never compiled with the product.
    const chosen = ['--manifest-path', 'bench/Cargo.toml', '--bin', name];
    await run('cargo', ['run', '--release', '--quiet', ...chosen, '--', ...rest], { env });
  }
});
