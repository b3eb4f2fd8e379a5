// The browser's engine as a surface: a real page in headless Chromium, saved in the browser.

import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

import { cacheFolder } from '../../.ci/lib/data.mjs';
import { launchBrowser } from '../browser/browser.mjs';
import { startSite } from '../browser/site.mjs';
import { serve } from './protocol.mjs';

// Each Worker asks for the modules of the package again.
const headers = { 'cache-control': 'max-age=600' };
const site = await startSite('/surfaces/page.mjs', { embedder: pathToFileURL(`${cacheFolder()}/embedder/`) }, headers);
const browser = await launchBrowser();
try {
  const page = await browser.newPage();
  page.on('console', (message) => console.error(message.text()));
  page.on('pageerror', (error) => console.error(error));
  await page.exposeFunction('loadFile', async (file) => (await readFile(file)).toString('base64'));
  await page.exposeFunction('saveFile', (file, text) => writeFile(file, Buffer.from(text, 'base64')));
  await page.goto(site.origin);
  await page.waitForFunction(() => globalThis.answer !== undefined);
  await serve((line) => page.evaluate((text) => globalThis.answer(text), line));
} finally {
  await browser.close();
  await site.stop();
}
