// Finds a browser for the tests of the page, or says in a word why there is none.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const BROWSER = process.env.KITH_CHROMIUM ?? '/usr/bin/chromium';

/** Root has no sandbox; the rest keeps the browser from calling home, which would be a request of its own. */
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/**
 * The browser's driver, or the reason to skip. `KITH_BROWSER_TOOLS` names a folder in whose node_modules
 * playwright-core (and, if wanted, axe-core) is installed, where the repository's own has none.
 */
export function findBrowser() {
  if (!existsSync(BROWSER)) return { skip: `no browser at ${BROWSER}` };
  const tools = loadTool('playwright-core');
  if (!tools) return { skip: 'playwright-core is not installed' };
  const launch = () => tools.chromium.launch({ executablePath: BROWSER, args: FLAGS });
  return { skip: false, launch };
}

/** A module of the repository's node_modules or of the tools' folder; undefined when it is in neither. */
export function loadTool(name) {
  const folders = [import.meta.url, process.env.KITH_BROWSER_TOOLS && join(process.env.KITH_BROWSER_TOOLS, 'x.js')];
  for (const folder of folders.filter(Boolean)) {
    try {
      return createRequire(folder)(name);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}
