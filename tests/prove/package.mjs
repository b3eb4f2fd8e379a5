// What two linters say of the packed packages: publint has nothing to suggest, and every way of importing kithdb that
// TypeScript knows finds its types. What is let pass: TypeScript's resolution of before `exports`; `require` of what is an ES module
// only, which Node 22 and later take; and the module of wasm, which has no types.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BUILD_NEEDS, buildRelease } from '../../.ci/lib/build.mjs';
import { ensureFolder, sha256 } from '../../.ci/lib/data.mjs';
import { layOut } from '../../.ci/lib/packages.mjs';
import { ROOT, run } from '../../.ci/lib/run.mjs';
import { main, step } from '../../.ci/lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../../.ci/lib/system.mjs';

const TOOLS = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5'];

await main(async () => {
  await ensureSystem(BUILD_NEEDS);
  ensureRust();
  await ensureNpmPackages();
  await buildRelease();
  const what = `fetching the linters of packages (npm ${TOOLS.join(', ')})`;
  const tools = await ensureFolder('tools/package', sha256(JSON.stringify(TOOLS)), what, async (fresh) => {
    await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', fresh, ...TOOLS]);
  });
  const tool = (path) => join(tools, 'node_modules', path);
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-package-'));
  try {
    const { packageFor, thisMachine } = createRequire(import.meta.url)('../../js/dist/node/native/platform.js');
    const places = layOut(join(folder, 'published'), { [packageFor(thisMachine()).target]: join(ROOT, 'js/dist/kithdb.node') });
    for (const place of places) await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, place]);
    const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz')).map((name) => join(folder, name)).sort();
    for (const packed of tarballs) {
      await step('asking publint', () => run(process.execPath, [tool('publint/src/cli.js'), 'run', '--strict', packed]));
    }
    // By name: `kithdb-0.1.0.tgz`, `kithdb-linux-x64-gnu-0.1.0.tgz`.
    const [tarball] = tarballs;
    const passed = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm', '--exclude-entrypoints', 'kithdb_wasm_bg.wasm'];
    await step('asking whether the types are wrong', () =>
      run(process.execPath, [tool('@arethetypeswrong/cli/dist/index.js'), tarball, ...passed]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
