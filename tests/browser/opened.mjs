// Opens the page in a browser on a stand-in for the server, and at the end checks what no test may do.

import assert from 'node:assert/strict';

import { PATIENCE_MS } from './browser.mjs';
import { startMock } from './mock.mjs';

/** Ways to open the page in this browser. */
export function pagesOf(browser) {
  /** `path`: below the stand-in's address; the rest is of the browser's context. */
  return async function withPage({ path = '/', ...context }, check) {
    const mock = await startMock();
    const opened = await browser().newContext({ reducedMotion: 'reduce', ...context });
    const wrong = [];
    try {
      const page = await opened.newPage();
      watch(page, mock.origin, wrong);
      await page.goto(`${mock.origin}${path}`);
      await check(page);
      assert.deepEqual(wrong, []);
    } finally {
      await opened.close();
      await mock.stop();
    }
  };
}

function watch(page, own, wrong) {
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && origin !== own) wrong.push(`request to ${request.url()}`);
  });
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('dialog', (dialog) => wrong.push(`dialog: ${dialog.message()}`));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) wrong.push(message.text());
  });
  page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.log(`Content Security Policy: ${event.violatedDirective}`));
  });
}

/** Waits until `read` gives what is expected; what it gave last is in the error. */
export async function eventually(read, expected) {
  const end = Date.now() + PATIENCE_MS;
  let got = await read();
  while (JSON.stringify(got) !== JSON.stringify(expected) && Date.now() < end) {
    await new Promise((done) => { setTimeout(done, 25); });
    got = await read();
  }
  assert.deepEqual(got, expected);
}

/** What is wrong with a page for people with assistive technology, light and dark; `axe` is its source. */
export async function checkAccess(page, axe, where) {
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(' | ')}`);
    assert.deepEqual(told, [], `${colorScheme} ${where}`);
  }
}
