// The Worker in which the engine runs, so that building an index never holds up the page. It answers the calls of
// tab-data.js and is the only place that opens the database of this browser.

import { answerCalls } from './calls.js';
import { KithError } from './errors.js';
import { connectServer } from './server-data.js';
import { TAB } from './settings.js';
import { copyCollection, indexCollection } from './tab-copy.js';
import { fetchEmbedder, keptEmbedder, keptHash } from './tab-embedder.js';

const server = connectServer();
/** The open database, or on its way; with which embedder. */
let opening;

answerCalls(globalThis, {
  async collections() {
    const { database } = await opened();
    return database.collections();
  },

  async search({ name, request }) {
    const { database } = await opened();
    return database.collection(name).search(request);
  },

  async copy(choice, { signal, onProgress }) {
    if (choice.info.embedder !== null) await bringEmbedder({ signal, onProgress });
    const { database } = await opened();
    return copyCollection({ server, database, choice, onProgress, signal });
  },

  async index(name, { onProgress }) {
    const { database } = await opened();
    await indexCollection({ collection: database.collection(name), onProgress });
  },

  async remove(name) {
    const { database } = await opened();
    await database.drop(name);
    await database.flush();
  },

  close,
});

function opened() {
  opening ??= openDatabase().catch((error) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function openDatabase() {
  const { open } = await loadEngine();
  const embedder = await keptEmbedder();
  for (let tries = 1; ; tries++) {
    try {
      return { database: await open(TAB.database, { embedder: embedder?.files }), hash: embedder?.hash };
    } catch (error) {
      // After a reload the page before this one may not have let go yet.
      if (error.code !== 'database_locked' || tries === TAB.lockTries) throw error;
      await new Promise((later) => { setTimeout(later, TAB.lockPause); });
    }
  }
}

async function loadEngine() {
  try {
    return await import('./kithdb/browser.js');
  } catch {
    const hint = 'load this page again while the server runs';
    throw new KithError({ code: 'engine_not_loaded', message: 'the engine could not be loaded', hint });
  }
}

async function close() {
  const closing = opening;
  opening = undefined;
  const open = await closing?.catch(() => undefined);
  await open?.database.close();
}

/** Opens the database with the embedder that the server has, as what is copied from there needs it. */
async function bringEmbedder(how) {
  const { hash } = await server.embedder({ signal: how.signal });
  if ((await keptHash()) !== hash) {
    await refuseOtherEmbedder();
    await fetchEmbedder(server, how);
  }
  if ((await opened()).hash !== hash) await close();
}

/** The texts of what is here were embedded by another one, and could not be searched by meaning any more. */
async function refuseOtherEmbedder() {
  const { database } = await opened();
  const needs = (await database.collections()).filter(({ embedder }) => embedder !== null);
  if (needs.length === 0) return;
  throw new KithError({
    code: 'other_embedder',
    message: `the server has another embedder now than the one of ${needs.map(({ name }) => name).join(', ')}`,
    hint: 'remove what is in this tab, then copy it again',
  });
}
