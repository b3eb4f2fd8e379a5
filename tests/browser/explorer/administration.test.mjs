// The explorer's administration, on a server and on the engine in the tab.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PLACES, eventually, explorer, look, narrow, sent } from './opened.mjs';

describe('the administration of the explorer', () => {
  const { state, withPage } = explorer({ count: 600 });

  for (const source of PLACES) {
    test(`makes, compresses, runs jobs and drops on ${source.split(':')[0]}`, () =>
      withPage({ where: 'administration/SOURCE/films', source }, async (page) => {
        await page.getByRole('heading', { name: 'Jobs' }).waitFor();
        await page.getByRole('button', { name: 'Seal' }).click();
        await page.getByText('Seal is done').waitFor();
        await page.getByRole('button', { name: 'Verify' }).click();
        await page.getByText('Nothing is damaged').waitFor();
        await page.getByRole('button', { name: 'Estimate', exact: true }).click();
        await page.getByText(/vectors, .* were looked at/).waitFor();
        await look(page, `administration-${source.split(':')[0]}`, source);
        await page.getByRole('button', { name: 'Compress to pq' }).click();
        await page.getByText('All segments have pq codes').waitFor();
        await page.getByRole('button', { name: 'Make a collection' }).click();
        await page.getByLabel('Name', { exact: true }).fill('notes');
        await look(page, `create-${source.split(':')[0]}`, source);
        await page.getByLabel(/for a time/).check();
        await page.getByLabel('How long', { exact: true }).fill('30 days');
        await page.getByRole('button', { name: 'Make it' }).click();
        await page.getByText(/It was not made/).waitFor();
        await page.getByLabel('How long', { exact: true }).fill('30d');
        await page.getByRole('button', { name: 'Make it' }).click();
        await page.getByText('There is nothing in notes yet').waitFor();
        await page.goto(page.url().replace('#/documents', '#/administration'));
        await page.getByRole('button', { name: 'Drop it…' }).click();
        await page.getByLabel('Type its name').fill('notes');
        // The second click dropped what the first one had dropped, and said that it could not.
        const dropping = await sent(page, /^DELETE /, () => page.getByRole('button', { name: 'Drop it', exact: true }).dblclick());
        await page.getByText('notes was dropped').waitFor();
        assert.equal(dropping(), source === 'server' ? 1 : 0);
        assert.equal(await page.getByText('It was not dropped').count(), 0);
      }));
  }

  test('verifies, and makes and revokes keys', () =>
    withPage({ where: 'administration/server' }, async (page) => {
      await page.getByRole('button', { name: 'Verify' }).click();
      await page.getByText('Nothing is damaged').waitFor();
      await page.getByLabel('For', { exact: true }).fill('<b>a test</b>');
      // Each click of two made a key of its own.
      const making = await sent(page, /^POST .*\/keys$/, () => page.getByRole('button', { name: 'Make a key' }).dblclick());
      const token = await page.locator('.notice code').textContent();
      assert.match(token, /^kith/);
      assert.equal(making(), 1);
      // Nor does the second one make a key when it comes after the answer to the first.
      await page.getByLabel('For', { exact: true }).fill('another');
      await eventually(() => page.getByRole('button', { name: 'Make a key' }).isEnabled(), true);
      await page.getByRole('button', { name: 'Make a key' }).evaluate((button) => {
        button.dispatchEvent(new MouseEvent('click', { detail: 2, bubbles: true, cancelable: true }));
      });
      await page.getByRole('button', { name: 'Hide it' }).click();
      await eventually(() => page.getByRole('button', { name: 'Revoke' }).count(), 1);
      await page.getByRole('button', { name: 'Revoke' }).click();
      await page.getByText('There is none yet').waitFor();
      await narrow(page, 'administration');
      const { keys } = await (await fetch(`${state.server.address}/v1/keys`)).json();
      assert.deepEqual(keys, []);
    }));
});
