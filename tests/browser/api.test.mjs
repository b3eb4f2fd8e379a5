// The API's page in a real browser: every route of the document is drawn, under the policy that the server sends and
// without a request to anywhere else.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import axe from 'axe-core';

import { launchBrowser } from './browser.mjs';
import { checkAccess, eventually, pagesOf } from './opened.mjs';

const api = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));
const ROUTES = Object.values(api.paths).flatMap(Object.keys).length;
const NARROW = { width: 360, height: 740 };

describe("the API's page", () => {
  let browser;
  before(async () => { browser = await launchBrowser(); });
  after(() => browser?.close());

  const withPage = pagesOf(() => browser);

  test('every route is there, opens, and shows its curl line, fields and refusals', () => withPage({ path: '/docs' }, async (page) => {
    await eventually(() => page.locator('.route').count(), ROUTES);
    await page.evaluate(() => document.querySelectorAll('.route').forEach((route) => { route.open = true; }));
    await eventually(() => page.locator('.route .command code', { hasText: /^curl / }).count(), ROUTES);
    const search = page.locator('#search');
    assert.match(await search.locator('.command code').textContent(), /^curl -X POST http:.*\/v1\/collections\/films\/search .*"vector"/s);
    assert.match(await search.textContent(), /Needs the role read for the collection in the path\..*dimension_mismatch/s);
    await search.locator('summary', { hasText: 'Filter' }).first().click();
    await eventually(() => search.getByText('Text of the filter language').count().then((count) => count > 0), true);
  }));

  test('words narrow the list, and an address opens a route', () => withPage({ path: '/docs#putDocument' }, async (page) => {
    await eventually(() => page.locator('#putDocument').getAttribute('open'), '');
    await page.fill('#find', 'put documents');
    await eventually(() => page.locator('.route:visible').evaluateAll((all) => all.map(({ id }) => id)), ['putDocument']);
    assert.equal(await page.locator('#found').textContent(), '1 route');
  }));

  test('it is usable by all, light and dark, and on a narrow screen', () => withPage({ path: '/docs#search', viewport: NARROW }, async (page) => {
    await page.locator('#search .command').waitFor();
    await page.locator('#search summary', { hasText: 'Search' }).first().waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= NARROW.width, `${wide} px are wider than the screen`);
    await checkAccess(page, axe.source, 'the open route');
  }));
});
