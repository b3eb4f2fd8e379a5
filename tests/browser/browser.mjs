// Starts the browser for the tests of the page. `npm test` installs it, or refuses where it cannot: a test that was
// skipped shows nothing.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

import { chromium } from 'playwright-core';

import { findChromium } from '../../.ci/lib/system.mjs';

/** Root has no sandbox; the rest keeps the browser from calling home, which would be a request of its own. */
export const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** A browser with a new, empty profile. */
export function launchBrowser() {
  return chromium.launch({ executablePath: chromiumPath(), args: FLAGS });
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
  const port = await freePort();
  const args = [...FLAGS, '--headless', `--user-data-dir=${profile}`, `--remote-debugging-port=${port}`, 'about:blank'];
  // A process group of its own: the browser is a dozen processes, and all are to be killed at once.
  const child = spawn(chromiumPath(), args, { stdio: 'ignore', detached: true });
  const endOfAll = () => process.kill(-child.pid, 'SIGKILL');
  process.on('exit', endOfAll);
  const ended = new Promise((done) => child.on('exit', done)).then(() => process.off('exit', endOfAll));
  const browser = await connected(`http://127.0.0.1:${port}`);
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
  return { context: browser.contexts()[0], kill, close };
}

async function connected(url) {
  for (const end = Date.now() + 30_000; ; ) {
    try {
      return await chromium.connectOverCDP(url);
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((again) => setTimeout(again, 50));
    }
  }
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
