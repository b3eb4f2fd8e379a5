// Starts the browser for the tests of the page. `npm test` installs it, or refuses where it cannot: a test that was
// skipped shows nothing.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

import { findChromium } from '../../.ci/lib/system.mjs';

/** Root has no sandbox; the rest keeps the browser from calling home, which would be a request of its own. */
export const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** Far longer than anything here takes, on a busy machine too: only what never comes is waited for so long. */
export const PATIENCE_MS = 180_000;

/** A browser with a new, empty profile; `newContext` makes one whose pages are waited for with patience. */
export async function launchBrowser() {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: FLAGS, timeout: PATIENCE_MS });
  const make = browser.newContext.bind(browser);
  browser.newContext = async (options) => patient(await make(options));
  return browser;
}

function patient(context) {
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

/** Where Chromium is. */
export function chromiumPath() {
  const path = findChromium();
  if (!path) throw new Error('no Chromium was found: `npm test` installs it, or says what to type');
  return path;
}

/**
 * A browser with a profile that outlives it: `context` for its pages, `close()` to end it as a user does, `kill()` to
 * kill all of its processes.
 */
export async function launchProfile(profile) {
  // It takes a free port itself and tells which: one that was looked for before might be taken by somebody else meanwhile.
  const args = [...FLAGS, '--headless', `--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'];
  // A process group of its own: the browser is a dozen processes, and all are to be killed at once.
  const child = spawn(chromiumPath(), args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const endOfAll = () => process.kill(-child.pid, 'SIGKILL');
  process.on('exit', endOfAll);
  const ended = new Promise((done) => child.on('exit', done)).then(() => process.off('exit', endOfAll));
  const browser = await chromium.connectOverCDP(await listening(child), { timeout: PATIENCE_MS });
  const kill = async () => {
    endOfAll();
    await ended;
    await browser.close().catch(() => {});
  };
  const close = async () => {
    const session = await browser.newBrowserCDPSession();
    session.send('Browser.close').catch(() => {});
    await ended;
  };
  return { context: patient(browser.contexts()[0]), kill, close };
}

/** The address at which a browser that was started can be driven. */
function listening(child) {
  return new Promise((found, failed) => {
    const [printed, lines] = [[], createInterface({ input: child.stderr })];
    lines.on('line', (line) => {
      printed.push(line);
      const [, address] = /^DevTools listening on (ws:\S+)/.exec(line) ?? [];
      if (!address) return;
      lines.close();
      // What it says from now on must not fill the pipe, and nobody waits for its end.
      child.stderr.resume().unref();
      found(address);
    });
    const late = setTimeout(() => failed(new Error(`the browser says nothing: ${printed.join('\n')}`)), 180_000).unref();
    lines.on('close', () => clearTimeout(late));
    child.on('error', failed);
    child.on('exit', (code, signal) => failed(new Error(`the browser ended (${signal ?? code}): ${printed.join('\n')}`)));
  });
}
