// The explorer's search, on a server and on the engine in the tab.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PLACES, eventually, explorer, look, narrow, post } from './opened.mjs';

const ids = (page) => page.locator('.results h2 a').evaluateAll((all) => all.map((one) => new URLSearchParams(one.href.split('?')[1]).get('id')));
const summary = (page) => page.locator('#summary').textContent();

const LINKS = [['link', [{ source: 'film-0001', relation: 'sequel', target: 'film-0002' }]]];

describe('the search of the explorer', () => {
  const { state, documents, withPage } = explorer({ links: LINKS });

  for (const source of PLACES) {
    test(`finds by words and by a document, and says why, on ${source.split(':')[0]}`, () =>
      withPage({ where: 'search/SOURCE/films?q=ship', source }, async (page) => {
        await page.locator('.results article').first().waitFor();
        assert.match(await summary(page), /^10 results in/);
        assert.equal(await page.locator('.results mark').first().textContent(), 'ship');
        await page.locator('.why summary').first().click();
        await page.getByText(/^By words it is the 1st, for \u201cship\u201d/).waitFor();
        await look(page, `search-${source.split(':')[0]}`, source);
        // By the vector of a document, which is then the nearest to itself.
        await page.getByRole('button', { name: 'More like this' }).first().click();
        await page.waitForURL(/like=/);
        const like = new URLSearchParams(page.url().split('?')[1]).get('like');
        await eventually(async () => (await ids(page))[0], like);
      }));
  }

  test('moves the results with the slider, and Back returns', () =>
    withPage({ where: 'search/server/films?q=ship&like=film-0002' }, async (page) => {
      await page.locator('#text').fill('ship garden');
      await page.locator('.results article').first().waitFor();
      await page.locator('#alpha').fill('0');
      await page.waitForURL(/alpha=0/);
      const answered = async (alpha) => {
        const request = { text: 'ship garden', vector: documents[2].vector, alpha };
        return (await post(`${state.server.address}/v1/collections/films/search`, request)).hits.map(({ id }) => id);
      };
      const byWords = await answered(0);
      await eventually(() => ids(page), byWords);
      await page.locator('#alpha').fill('1');
      await page.waitForURL(/alpha=1/);
      const byVector = await answered(1);
      assert.equal(byVector[0], 'film-0002');
      assert.notDeepEqual(byVector, byWords);
      await eventually(() => ids(page), byVector);
      // A click is a step of its own.
      await page.locator('.fact[aria-pressed]').first().click();
      await page.waitForURL(/filter=/);
      await page.goBack();
      await eventually(() => page.locator('#filter').inputValue(), '');
    }));

  test('shows where a filter is wrong, completes it, and counts fields', () =>
    withPage({ where: 'search/server/films' }, async (page) => {
      await page.locator('.results article').first().waitFor();
      await page.locator('#filter').fill("genre = 'war' AND year >");
      await page.locator('#filter-error .spot').waitFor();
      assert.match(await page.locator('#filter-error').textContent(), /filter/);
      await page.locator('#filter').fill('ge');
      await page.getByRole('option', { name: 'genre' }).click();
      await page.getByRole('option', { name: '=', exact: true }).click();
      await page.getByRole('option', { name: "'comedy'" }).click();
      await eventually(() => page.locator('#filter').inputValue(), "genre = 'comedy' ");
      const wanted = documents.filter(({ metadata }) => metadata.genre === 'comedy').length;
      await page.locator('summary', { hasText: 'More' }).click();
      await page.locator('#facet').fill('genre');
      await page.getByRole('button', { name: 'Count', exact: true }).click();
      await page.getByText(`In ${wanted} documents`).waitFor();
    }));

  test('compares two settings and tells what moved, with the path of the search', () =>
    withPage({ where: 'search/server/films?q=ship+garden&like=film-0002&alpha=0&trace=1&b=alpha%3D1' }, async (page) => {
      await page.getByText(/are in another place/).waitFor();
      const { hits } = await post(`${state.server.address}/v1/collections/films/search`, { text: 'ship garden', vector: documents[2].vector, alpha: 1 });
      const title = await page.locator('section[aria-labelledby=second] li bdi').first().textContent();
      assert.equal(title, hits[0].metadata.title);
      await page.getByText('Part 1').waitFor();
      await look(page, 'search-compared');
      await narrow(page, 'search-compared');
    }));

  test('finds what was there before', () =>
    withPage({ where: 'search/server/films?q=ship&as_of=2020-01-01T00%3A00%3A00.000Z' }, async (page) => {
      await page.getByText('Nothing was found').waitFor();
      await page.getByLabel('What was there at').fill('');
      await eventually(() => page.locator('.results article').count(), 10);
    }));

  test('finds what hits are linked to, and says along which edges', () =>
    withPage({ where: 'search/server/films?q=ship+of+1951', permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
      await page.locator('.results article').first().waitFor();
      await page.locator('summary', { hasText: 'More:' }).click();
      await page.getByLabel('What hits are linked to, too').check();
      await page.getByLabel('An edge leaves').fill('0.9');
      await page.getByLabel('An edge leaves').press('Enter');
      await page.waitForURL(/expand=damping%3D0.9/);
      const lent = page.locator('.results article', { has: page.getByText('By the graph') });
      await eventually(() => lent.locator('h2 a').evaluateAll((all) => all.map((one) => one.href.split('id=')[1])), ['film-0002']);
      await lent.locator('.why summary').click();
      await lent.getByText(/linked with the hit film-0001, .* 1 edge leaves 90 %, .* along film-0001 \u2013sequel\u2192 film-0002/).waitFor();
      await lent.getByRole('img', { name: /lent along the graph/ }).waitFor();
      await look(page, 'search-graph');
      for (const [name, part] of [['curl', '"expand":{"damping":0.9}'], ['TypeScript', 'expand: {"damping":0.9},'], ['Python', 'expand']]) {
        await page.getByRole('button', { name: `Copy as ${name}` }).click();
        await eventually(async () => (await page.evaluate(() => navigator.clipboard.readText())).includes(part), true);
      }
      // Its tables scroll by themselves: they made the card wider than a phone.
      await narrow(page, 'search-graph');
      await page.getByLabel('Followed').selectOption('in');
      await page.waitForURL(/expand=[^&]*direction%3Din/);
      const found = page.locator('.results article');
      await eventually(async () => [await lent.count(), (await found.count()) > 0], [0, true]);
    }));

  // They were cut at the first colon of all.
  test('names the hits that lend in its short reasons, whatever their ids are', () =>
    withPage({ where: 'documents/server/films' }, async (page) => {
      const url = `${state.server.address}/v1/collections`;
      await post(url, { name: 'urns', text: { fields: ['title'] } });
      await post(`${url}/urns/documents`, { documents: [{ id: 'urn:a:1', metadata: { title: 'ship' } }, { id: 'urn:b:2', metadata: { title: 'dog' } }] });
      await post(`${url}/urns/graph/link`, { edges: [{ source: 'urn:a:1', relation: 'is', target: 'urn:b:2' }] });
      await page.goto(`${page.url().split('#')[0]}#/search/server/urns?q=ship&expand=damping%3D0.5`);
      await page.reload();
      await page.getByText(/By the graph it is linked with the hit urn:a:1, which scores [\d.]+ \u00b7/).waitFor();
    }));

  test('is copied as code', () =>
    withPage({ where: 'search/server/films?q=ship&filter=year+%3E+1960', permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
      await page.locator('.results article').first().waitFor();
      for (const [name, begin] of [['curl', 'curl -s'], ['TypeScript', 'import { connect }'], ['Python', 'import json']]) {
        await page.getByRole('button', { name: `Copy as ${name}` }).click();
        const copied = () => page.evaluate(() => navigator.clipboard.readText());
        await eventually(async () => (await copied()).startsWith(begin), true);
        assert.ok((await copied()).includes('year > 1960'), await copied());
      }
    }));

  test('shows what hostile writers store as the text that it is', () =>
    withPage({ where: 'search/server/films?filter=year+%3C+10' }, async (page) => {
      await eventually(() => page.locator('.results article').count(), 3);
      assert.match(await page.locator('.results').textContent(), /<script>alert\(2\)<\/script>/);
      assert.ok((await page.locator('.results').textContent()).length < 10_000);
    }));
});
