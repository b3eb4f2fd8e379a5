// The explorer's graph, on a server and on the engine in the tab, drawn with WebGL and without.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { HOSTILE, PLACES, eventually, explorer, look, narrow } from './opened.mjs';

const film = (at) => `film-${String(at).padStart(4, '0')}`;
const edge = (source, relation, target, more = {}) => ({ source, relation, target, ...more });

/** A tree of remakes, a chain of sequels that is cut later, and what a hostile writer links. */
const REMAKES = Array.from({ length: 14 }, (_, at) => edge(film(at + 1), 'remake_of', film(at >> 1), { weight: at + 1 }));
const SEQUELS = [14, 20, 21, 22].map((at, step, all) => edge(at === 14 ? film(0) : film(all[step - 1]), 'sequel', film(at)));
const LINKS = [
  ['link', REMAKES],
  ['link', SEQUELS],
  ['link', [edge(film(1), '"><b onclick=alert(4)>', HOSTILE[0].id), edge(HOSTILE[0].id, 'near', 'rtl'), edge('rtl', 'near', 'large')]],
  ['unlink', [{ source: film(0), relation: 'sequel', target: film(14) }]],
];

const figures = async (page) => (await page.locator('.figures').textContent()).replace(/\s+/g, ' ').trim();
const listed = (page) => page.locator('details:has-text("Documents in the picture") li button');
const row = (page, title) => listed(page).filter({ hasText: title });
const chosen = (page) => page.getByRole('region', { name: 'The chosen document' });
const colour = (page) => page.getByRole('combobox', { name: 'Colour' });

/** How many pixels of the picture are drawn. */
const drawn = (page) => page.evaluate(async () => {
  const size = { width: 200, height: 200 };
  const copy = Object.assign(document.createElement('canvas'), size).getContext('2d');
  // What WebGL has drawn can be read until the frame ends.
  await new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); });
  for (const canvas of document.querySelectorAll('.stage canvas')) copy.drawImage(canvas, 0, 0, size.width, size.height);
  return copy.getImageData(0, 0, size.width, size.height).data.filter((value, at) => at % 4 === 3 && value > 0).length;
});

describe('the graph of the explorer', () => {
  const { withPage } = explorer({ links: LINKS });

  for (const source of PLACES) {
    const place = source.split(':')[0];
    test(`begins at a document, expands, collapses, pins and filters, on ${place}`, () =>
      withPage({ where: `graph/SOURCE/films${place === 'server' ? '' : '?draw=canvas'}`, source }, async (page) => {
        await page.getByRole('searchbox', { name: 'Begin at' }).fill(film(0));
        await page.getByRole('button', { name: 'Find', exact: true }).click();
        await page.waitForURL(/id=film-0000/);
        await page.getByRole('combobox', { name: 'Edges away' }).selectOption('1');
        await eventually(() => figures(page), place === 'server' ? '3 documents, 2 edges' : '3 documents, 2 edges; drawn without WebGL');
        await eventually(async () => (await drawn(page)) > 100, true);
        // By keys alone: Enter chooses, Enter once more expands.
        await row(page, 'ship of 1951').focus();
        await page.keyboard.press('Enter');
        await chosen(page).getByText('film-0001').waitFor();
        await page.keyboard.press('Enter');
        await eventually(() => listed(page).count(), 6);
        await page.getByRole('button', { name: 'Pin', exact: true }).click();
        await chosen(page).getByText('pinned').waitFor();
        await look(page, `graph-${place}`);
        await chosen(page).getByRole('button', { name: 'Collapse' }).click();
        await eventually(() => listed(page).count(), 3);
        await page.getByRole('checkbox', { name: 'remake_of' }).uncheck();
        await eventually(() => listed(page).count(), 2);
        await eventually(async () => (await figures(page)).startsWith('2 of 3 documents, 0 of 2 edges'), true);
        await page.getByRole('checkbox', { name: 'remake_of' }).check();
        await page.getByLabel('At least').fill('2');
        await eventually(async () => (await figures(page)).includes('1 of 2 edges'), true);
        // The picture itself takes keys, too.
        await page.getByRole('application').focus();
        await page.keyboard.press('Enter');
        await page.keyboard.press('ArrowLeft');
        await page.keyboard.press('Escape');
        await page.getByText('No document is chosen').waitFor();
      }));
  }

  test('plays the history of its edges, and a link leads to a moment', () =>
    withPage({ where: `graph/server/films?id=${film(0)}&depth=4` }, async (page) => {
      await eventually(() => figures(page), '19 documents, 18 edges');
      await page.getByRole('button', { name: 'Show its history' }).click();
      // The one that was unlinked is known now, and there a moment before.
      await page.getByRole('button', { name: 'Play' }).waitFor();
      await eventually(() => figures(page), '19 documents, 18 of 19 edges');
      const before = page.getByRole('button', { name: 'To the change before' });
      await before.click();
      await eventually(() => figures(page), '19 documents, 19 edges');
      await page.waitForURL(/at=20/);
      await before.click();
      await before.click();
      await eventually(async () => (await figures(page)).startsWith('15 of 19 documents, 14 of 19 edges'), true);
      await page.reload();
      await page.getByRole('button', { name: 'Play' }).waitFor();
      await eventually(() => page.locator('.time output').textContent().then((text) => text !== 'now'), true);
      await page.getByRole('slider', { name: 'The moment that is shown' }).fill('1');
      await eventually(() => page.locator('.time output').textContent(), 'now');
      await page.getByRole('button', { name: 'Play' }).click();
      await page.getByRole('button', { name: 'Pause' }).click();
      await look(page, 'graph-history');
    }));

  test('shows a path, what is near by vector, communities, and hostile names as what they are', () =>
    withPage({ where: `graph/server/films?id=${film(1)}&depth=3` }, async (page) => {
      await row(page, '<script>').waitFor();
      await page.getByRole('checkbox', { name: '"><b onclick=alert(4)>' }).waitFor();
      await page.getByText('Shortest path').click();
      await page.getByRole('textbox', { name: 'From' }).fill(film(14));
      await page.getByRole('textbox', { name: 'To', exact: true }).fill(film(2));
      await page.getByRole('button', { name: 'Find the path' }).click();
      await page.getByText('2 edges:').waitFor();
      assert.equal(await page.locator('details:has-text("Shortest path") ol li').count(), 3);
      await page.getByRole('textbox', { name: 'To', exact: true }).fill('nobody');
      await page.getByRole('button', { name: 'Find the path' }).click();
      await page.getByText(/^No path leads from/).waitFor();
      await row(page, 'ship of 1951').click();
      await page.getByRole('button', { name: 'Nearest by vector' }).click();
      await page.getByRole('checkbox', { name: 'near by vector' }).waitFor();
      await page.getByRole('button', { name: 'Hide nearest' }).click();
      await colour(page).selectOption('communities');
      await page.getByText('community 1').waitFor();
      await colour(page).selectOption('genre');
      await page.locator('.card li', { hasText: 'comedy' }).waitFor();
      await page.waitForURL(/colour=genre/);
    }));

  test('exports what is shown, and fits a phone', () =>
    withPage({ where: `graph/server/films?id=${film(1)}`, acceptDownloads: true }, async (page) => {
      await row(page, '<script>').waitFor();
      await page.locator('summary', { hasText: 'Export' }).click();
      const saved = {};
      for (const kind of ['PNG', 'SVG', 'JSON']) {
        const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: kind }).click()]);
        assert.equal(download.suggestedFilename(), `films-graph.${kind.toLowerCase()}`);
        saved[kind] = readFileSync(await download.path());
      }
      assert.deepEqual([...saved.PNG.subarray(1, 4)], [...Buffer.from('PNG')]);
      const svg = saved.SVG.toString();
      assert.ok(svg.includes('<circle') && svg.includes('&#60;script&#62;') && !svg.includes('<script'), svg.slice(0, 400));
      const { nodes, edges } = JSON.parse(saved.JSON);
      assert.ok(nodes.some(({ id }) => id === HOSTILE[0].id) && edges.some(({ relation }) => relation === 'remake_of'));
      // A driver that refuses a program stopped the page: its canvas gives no other context.
      await page.addInitScript(() => { WebGL2RenderingContext.prototype.getProgramParameter = () => false; });
      await page.reload();
      await eventually(async () => (await figures(page)).endsWith('drawn without WebGL'), true);
      await eventually(async () => (await drawn(page)) > 100, true);
      await narrow(page, 'graph');
    }));

  test('says what is not there, and what to do', () =>
    withPage({ where: 'graph/server/films' }, async (page) => {
      await page.getByText('Begin at a document').waitFor();
      await page.getByRole('button', { name: 'Show the documents with the most edges' }).click();
      await page.getByRole('group', { name: 'Documents to begin at' }).getByRole('button').first().waitFor();
      await page.getByRole('searchbox', { name: 'Begin at' }).fill('zzzz');
      await page.getByRole('button', { name: 'Find', exact: true }).click();
      await page.getByText('Nothing is found').waitFor();
      await page.getByRole('searchbox', { name: 'Begin at' }).fill('a garden');
      await page.getByRole('button', { name: 'Find', exact: true }).click();
      await page.getByRole('group', { name: 'Documents to begin at' }).getByText('garden').first().click();
      await page.waitForURL(/id=film/);
    }));
});
