// The explorer looks at a server of another origin: once both sides let it, and it says what is missing before.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startServer } from '../../js/server.mjs';
import { explorer, look, post } from './opened.mjs';

const TOKEN = 'a-token-of-another-server';

describe('a server of another origin', () => {
  const { state, withPage } = explorer({ count: 5 });
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-remote-'));
  /** Whose explorer asks: a server behind an origin that is known before it is started. */
  let front;
  let asking;
  /** What is asked: a server with a token. */
  let other;
  before(async () => {
    front = createServer((from, to) => {
      const { host } = new URL(asking.address);
      const headers = { ...from.headers, host };
      delete headers.origin;
      from.pipe(ask(`${asking.address}${from.url}`, { method: from.method, headers }, (answer) => {
        to.writeHead(answer.statusCode, answer.headers);
        answer.pipe(to);
      }));
    });
    await new Promise((done) => { front.listen(0, '127.0.0.1', done); });
    front.origin = `http://127.0.0.1:${front.address().port}`;
    writeFileSync(join(folder, 'token'), TOKEN, { mode: 0o600 });
    other = await startServer(join(folder, 'other'), '--token-file', join(folder, 'token'), '--cors-origin', front.origin);
    const named = [other.address, state.server.address].flatMap((origin) => ['--remote-origin', origin]);
    asking = await startServer(join(folder, 'asking'), ...named);
    await post(`${other.address}/v1/collections`, { name: 'elsewhere', text: {} }, TOKEN);
  });
  after(async () => {
    front?.close();
    front?.closeAllConnections();
    await Promise.all([other?.stop(), asking?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const overview = (remote) => `overview/${encodeURIComponent(`remote:${remote.address}/`)}`;

  test('that is not named by the server of the page is not asked', () =>
    withPage({ where: overview(other), allowed: [/Content Security Policy/] }, async (page) => {
      const own = state.server.address;
      await page.getByText(`Start this one with --remote-origin ${other.address}, and that one with --cors-origin ${own}.`).waitFor();
      await look(page, 'remote-refused');
    }));

  test('that does not name the page does not answer it', () =>
    withPage({ base: `${front.origin}/`, where: overview(state.server), allowed: [/^request to/] }, (page) =>
      page.getByText(`then start it with --cors-origin ${front.origin}`).waitFor()));

  test('is looked at and written to where both do, with its token', () =>
    withPage({ base: `${front.origin}/`, where: overview(other), allowed: [/^request to/] }, async (page) => {
      await page.getByLabel('Token').fill(TOKEN);
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.getByRole('heading', { name: 'elsewhere' }).waitFor();
      // Figures, which are beside /v1, and a write, which a browser asks about first.
      await page.getByText('Requests worked on').waitFor();
      await page.getByRole('link', { name: 'Documents' }).first().click();
      await page.getByRole('button', { name: 'Add a document' }).click();
      await page.getByLabel('Id', { exact: true }).last().fill('far');
      await page.getByRole('button', { name: 'Store' }).click();
      await page.getByText('far was stored').first().waitFor();
      const { documents } = await (await fetch(`${other.address}/v1/collections/elsewhere`, { headers: { authorization: `Bearer ${TOKEN}` } })).json();
      assert.equal(documents, 1);
    }));
});
