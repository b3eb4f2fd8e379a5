// The explorer's documents, on a server and on the engine in the tab.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PLACES, eventually, explorer, look, narrow, post, sent } from './opened.mjs';

const CSV = 'name;vector;note;size\n"a; b";[1,0,0,0,0,0,0,0];"said ""yes""";007\nc;;;12\n';

describe('the documents of the explorer', () => {
  const { state, documents, withPage } = explorer({ count: 1000 });

  for (const source of PLACES) {
    test(`are looked at, added, edited and deleted on ${source.split(':')[0]}`, () =>
      withPage({ where: 'documents/SOURCE/films', source }, async (page) => {
        await page.getByText(/^\d+ read/).waitFor();
        await look(page, `documents-${source.split(':')[0]}`, source);
        await page.getByRole('button', { name: 'Add', exact: true }).click();
        await page.getByLabel('Id', { exact: true }).nth(1).fill('mine');
        await page.getByLabel('Metadata').fill('{"title": "Mine", "year": 2020}');
        await page.getByLabel(/as typed/).check();
        await page.getByLabel('Vector, as a JSON array').fill('[1, 2]');
        await page.getByRole('button', { name: 'Store' }).click();
        await page.getByText(/It was not stored: .*8/).waitFor();
        await page.getByLabel('Vector, as a JSON array').fill('[1, 2, 3, 4, 5, 6, 7, 8]');
        // Above the panel, where it can be read and dismissed: notices lay behind what is modal. It does not go by itself meanwhile.
        await page.evaluate(() => {
          window.later = window.setTimeout;
          window.setTimeout = (run, ms, ...more) => (ms >= 1000 ? 0 : window.later(run, ms, ...more));
        });
        await page.getByRole('button', { name: 'Store' }).click();
        await page.getByText('mine was stored').first().waitFor();
        await page.getByRole('button', { name: 'Dismiss' }).first().click();
        await eventually(() => page.getByRole('button', { name: 'Dismiss' }).count(), 0);
        await page.evaluate(() => { window.setTimeout = window.later; });
        await page.getByRole('button', { name: 'Edit' }).click();
        await page.getByLabel('Metadata').fill('{"title": "Mine again"}');
        await page.getByRole('button', { name: 'Store' }).click();
        await page.locator('pre', { hasText: 'Mine again' }).waitFor();
        // Its first version can still be seen; none is read before.
        assert.equal(await page.locator('.versions button').count(), 0);
        await page.locator('summary', { hasText: 'Versions' }).click();
        await eventually(() => page.locator('.versions button').count(), 2);
        await page.locator('.versions button').nth(1).click();
        await page.locator('pre', { hasText: '2020' }).waitFor();
        await look(page, `document-${source.split(':')[0]}`, source);
        await page.getByRole('button', { name: 'Back' }).click();
        await page.getByRole('button', { name: 'Delete…' }).click();
        // Each click of two deleted it.
        const deleting = await sent(page, /^POST .*\/documents\/delete$/, () => page.getByRole('button', { name: 'Delete', exact: true }).dblclick());
        await page.getByText('mine was deleted').first().waitFor();
        assert.equal(deleting(), source === 'server' ? 1 : 0);
        assert.equal(await page.getByText('mine was deleted').count(), 1);
      }));
  }

  test('are read as far as one scrolls, and no further', () =>
    withPage({ where: 'documents/server/films' }, async (page) => {
      let pages = 0;
      page.on('request', (request) => { pages += /documents\?/.test(request.url()) || /documents$/.test(request.url()) ? 1 : 0; });
      await page.getByText(/^\d+ read/).waitFor();
      assert.ok(await page.locator('tbody tr').count() < 80);
      const table = page.getByRole('region', { name: 'Documents' });
      await table.evaluate((one) => { one.scrollTop = one.scrollHeight; });
      await page.getByText('200 read').waitFor();
      assert.ok(await page.locator('tbody tr').count() < 80);
      assert.ok(pages <= 3, `${pages} requests`);
      await page.locator('#rows-filter').fill("genre = 'war' AND year < 1960");
      await page.getByRole('button', { name: 'Filter' }).click();
      const wanted = documents.filter(({ metadata }) => metadata.genre === 'war' && metadata.year < 1960).length;
      await page.getByText(`${wanted} read`, { exact: true }).waitFor();
      await narrow(page, 'documents');
    }));

  test('come from a table, with a mapping that one sees before', () =>
    withPage({ where: 'documents/server/films?import=1' }, async (page) => {
      await page.setInputFiles('input[type=file]', { name: 'some.csv', mimeType: 'text/csv', buffer: Buffer.from(CSV) });
      await page.getByLabel('What becomes of name').selectOption('id');
      await page.getByLabel('What becomes of size').selectOption('text');
      await look(page, 'import');
      await page.getByRole('button', { name: 'Import', exact: true }).last().click();
      await page.getByText('2 documents stored').waitFor();
      const { documents: stored } = await post(`${state.server.address}/v1/collections/films/documents/get`, { ids: ['a; b', 'c'] });
      assert.deepEqual(stored.map(({ metadata }) => metadata), [{ note: 'said "yes"', size: '007' }, { size: '12' }]);
    }));

  // Columns were told apart by their names: a field of the name of what each document has stopped the page.
  test('have fields of any name beside their id and their vector', () =>
    withPage({ where: 'documents/server/names' }, async (page) => {
      const url = `${state.server.address}/v1/collections`;
      await post(url, { name: 'names' });
      await post(`${url}/names/documents`, { documents: [{ id: 'real', vector: [1, 2], metadata: { id: 'other', vector: 'none of it' } }] });
      await page.reload();
      await page.getByText('1 read').waitFor();
      assert.deepEqual(await page.locator('thead th').allTextContents(), ['id', 'id', 'vector', 'vector']);
      assert.deepEqual(await page.locator('tbody td').allTextContents(), ['real', 'other', 'none of it', '2 components']);
    }));

  // Each id that was an object became the same text, and each document took the place of the one before.
  test('whose ids are neither text nor numbers are not stored', () =>
    withPage({ where: 'documents/server/films?import=1' }, async (page) => {
      const buffer = Buffer.from('{"_id":{"$oid":"1"},"n":1}\n{"_id":{"$oid":"2"},"n":2}\n');
      await page.setInputFiles('input[type=file]', { name: 'some.jsonl', mimeType: 'text/plain', buffer });
      await page.getByLabel('What becomes of _id').waitFor();
      await page.getByRole('button', { name: 'Import', exact: true }).last().click();
      await page.getByText(/_id is no id: expected text or a number/).waitFor();
    }));

  test('of a file that is none are refused with their line', () =>
    withPage({ where: 'documents/server/films?import=1' }, async (page) => {
      const lines = [...Array(30).keys()].map((i) => `{"id": "import-${i}"}`);
      lines[25] = '{"id": broken';
      await page.setInputFiles('input[type=file]', { name: 'some.jsonl', mimeType: 'text/plain', buffer: Buffer.from(lines.join('\n')) });
      await page.getByLabel('What becomes of id').waitFor();
      await page.getByRole('button', { name: 'Import', exact: true }).last().click();
      await page.getByText('The import ended early').waitFor();
      await page.getByText(/line 26/).waitFor();
    }));

  test('leave as lines that can be read again', () =>
    withPage({ where: 'documents/server/films?export=1' }, async (page) => {
      await page.evaluate(() => { delete window.showSaveFilePicker; window.showSaveFilePicker = undefined; });
      const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export', exact: true }).last().click()]);
      const chunks = [];
      for await (const chunk of await file.createReadStream()) chunks.push(chunk);
      const all = Buffer.concat(chunks).toString().trim().split('\n').map((line) => JSON.parse(line));
      assert.ok(all.length >= documents.length && all[0].id === 'film-0000' && all[0].vector.length === 8);
    }));
});
