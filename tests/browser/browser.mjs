// Starts the browser for the tests of the page. `npm test` installs it, or refuses where it cannot: a test that was
// skipped shows nothing.

import { chromium } from 'playwright-core';

import { findChromium } from '../../.ci/lib/system.mjs';

/** Root has no sandbox; the rest keeps the browser from calling home, which would be a request of its own. */
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** A browser with a new, empty profile. */
export function launchBrowser() {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium was found: `npm test` installs it, or says what to type');
  return chromium.launch({ executablePath, args: FLAGS });
}
