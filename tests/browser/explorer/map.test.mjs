// The explorer's map, on a server and on the engine in the tab, drawn with WebGL and without.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PLACES, eventually, explorer, look, narrow } from './opened.mjs';

const facts = async (page) => (await page.locator('.picture [role=status]').last().textContent()).replace(/\s+/g, ' ').trim();
const taken = (page) => page.getByRole('region', { name: 'What was taken' });

/** Draws a line around everything. */
async function lasso(page) {
  await page.getByRole('button', { name: 'Lasso' }).click();
  const { x, y, width, height } = await page.getByRole('application').boundingBox();
  await page.mouse.move(x + 3, y + 3);
  await page.mouse.down();
  for (const [right, down] of [[1, 0], [1, 1], [0, 1]]) {
    await page.mouse.move(x + 3 + right * (width - 6), y + 3 + down * (height - 6));
  }
  await page.mouse.up();
}

describe('the map of the explorer', () => {
  const { documents, withPage } = explorer({ count: 1000 });
  const total = documents.length.toLocaleString('en');

  for (const source of PLACES) {
    const place = source.split(':')[0];
    test(`shows vectors in the plane, colours them, and takes what a line holds, on ${place}`, () =>
      withPage({ where: `map/SOURCE/films${place === 'server' ? '' : '?draw=canvas'}`, source }, async (page) => {
        await eventually(async () => (await facts(page)).startsWith(`${total} of ${total} documents. The plane shows`), true);
        assert.equal((await facts(page)).includes('Drawn without WebGL'), place !== 'server');
        await page.getByRole('combobox', { name: 'Colour' }).selectOption('genre');
        await page.waitForURL(/colour=genre/);
        await page.locator('.card li', { hasText: 'comedy' }).waitFor();
        await lasso(page);
        await taken(page).getByRole('heading', { name: `${total} documents` }).waitFor();
        await taken(page).getByText(/^genre IN/).waitFor();
        await look(page, `map-${place}`);
        await page.getByRole('application').focus();
        await page.keyboard.press('Escape');
        await taken(page).waitFor({ state: 'detached' });
        // The same without a hand: by words.
        await page.getByText('Documents on the map').click();
        await page.getByLabel('Only those with').fill('house');
        await page.getByRole('button', { name: 'Take these' }).click();
        await taken(page).getByRole('link', { name: 'Search with this filter' }).click();
        await page.waitForURL(/#\/search\/.*filter=genre/);
      }));
  }

  test('shows the hits of the last search, and only what a filter finds', () =>
    withPage({ where: 'search/server/films?q=ship&k=7' }, async (page) => {
      await page.locator('.results article').first().waitFor();
      await page.getByRole('link', { name: 'Map', exact: true }).first().click();
      await eventually(async () => (await facts(page)).includes('7 hits of the last search'), true);
      await page.getByLabel('Only documents with').fill("genre = 'war'");
      await page.keyboard.press('Enter');
      await page.waitForURL(/filter=/);
      const war = documents.filter(({ metadata }) => metadata.genre === 'war').length;
      await eventually(async () => Number.parseInt(await facts(page), 10) >= war && Number.parseInt(await facts(page), 10) < documents.length, true);
      await page.getByLabel('Only documents with').fill('genre =');
      await page.keyboard.press('Enter');
      await page.getByText('The filter is not understood').waitFor();
      await page.getByLabel('Only documents with').fill('');
      await page.keyboard.press('Enter');
      await page.getByRole('combobox', { name: 'Chosen' }).selectOption('by genre');
      await eventually(async () => (await facts(page)).startsWith(`${total} of ${total}`), true);
      // A thousand of a thousand is all of them, though no more were asked for.
      await page.getByRole('combobox', { name: 'At most' }).selectOption('1,000');
      await eventually(async () => (await facts(page)).includes(`of ${total} documents, of each genre its share`), true);
      await page.getByRole('combobox', { name: 'Chosen' }).selectOption('as stored');
      await page.getByLabel('Only documents with').fill('year >= 1950');
      // Where there is no WebGL, nobody has to ask for the other way.
      await page.addInitScript(() => {
        const usual = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function getContext(kind, ...more) {
          return kind === 'webgl2' ? null : usual.call(this, kind, ...more);
        };
      });
      await page.keyboard.press('Enter');
      await page.waitForURL(/filter=year/);
      await page.reload();
      await eventually(async () => (await facts(page)).startsWith(`1,000 of ${total} documents. The plane shows`), true);
      assert.match(await facts(page), /how their directions differ.*Drawn without WebGL/);
      await narrow(page, 'map');
    }));
});
