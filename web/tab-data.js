// A database of this browser: the engine runs in a Worker of this tab, the data is kept in IndexedDB.

import { makeCaller } from './calls.js';
import { keepForOffline, startWorker } from './own.js';
import { connectServer } from './server-data.js';
import { TAB } from './settings.js';

/** The database of this browser; one tab at a time can have it. */
export function connectTab() {
  const server = connectServer();
  keepForOffline();
  return {
    /** As the server's. */
    async collections({ signal } = {}) {
      await removeUnfinished();
      return { collections: await call('collections', undefined, { signal }), unopenable: [] };
    },

    /** Nobody types a document into a tab. */
    firstSteps: () => [],

    collection(name) {
      return {
        name,
        /** As the server's. */
        search: (request, { signal } = {}) => call('search', { name, request }, { signal }),
        /** The same search for a program. */
        asCode: (request) => asJavaScript(name, request),
      };
    },

    /** What the server has to copy. */
    offers: async (options) => (await server.collections(options)).collections,

    /** Copies a collection of the server: see tab-copy.js. Answers with what it is here. */
    async copy(choice, options) {
      // Without this a browser that needs room may clear what is copied; it may say no.
      navigator.storage?.persist?.().catch(() => {});
      remember(choice.info.name);
      copying = call('copy', choice, { ...options, isPatient: true });
      try {
        const info = await copying;
        forget();
        return info;
      } catch (error) {
        // Whatever it answered, it has cleared up; unless it is gone.
        if (error.code !== 'engine_failed') forget();
        throw error;
      } finally {
        copying = undefined;
      }
    },

    /** Indexes what has no index yet; it can be searched all the time. */
    index: (name, options) => call('index', name, options),

    /** Deletes a collection of this browser. */
    remove: (name) => call('remove', name),

    /** Lets another tab have it. */
    close,
  };
}

/** The copy that this page is making. */
let copying;

/** The engine's Worker and the calls to it, while there is one; how the last one ended. */
let engine;
let ending = Promise.resolve();

async function call(method, argument, options) {
  // Two at a time would lock each other out.
  await ending;
  options?.signal?.throwIfAborted();
  engine ??= startEngine();
  return engine.caller.call(method, argument, options);
}

function startEngine() {
  const worker = startWorker();
  const caller = makeCaller(worker);
  worker.onerror = (event) => {
    event.preventDefault();
    worker.terminate();
    if (engine?.worker === worker) engine = undefined;
    const message = `the engine stopped${event.message ? `: ${event.message}` : ''}`;
    caller.failAll({ code: 'engine_failed', message, hint: 'load the page again; what was stored is kept' });
  };
  return { worker, caller };
}

function close() {
  const closing = engine;
  engine = undefined;
  if (closing) ending = end(closing, copying);
  return ending;
}

/** A copy that was cancelled clears up first. */
async function end({ worker, caller }, copy) {
  await copy?.catch(() => {});
  await caller.call('close').catch(() => {});
  worker.terminate();
}

/** The name of a collection whose copy has not ended: a page that is closed in the middle leaves a part of it. */
const remember = (name) => withStorage((storage) => storage.setItem(TAB.unfinished, name));
const forget = () => withStorage((storage) => storage.removeItem(TAB.unfinished));

async function removeUnfinished() {
  const name = withStorage((storage) => storage.getItem(TAB.unfinished));
  if (!name || copying) return;
  await call('remove', name).catch((error) => {
    if (error.code !== 'unknown_collection') throw error;
  });
  forget();
}

/** A browser can be told to keep nothing; then nothing is remembered either. */
function withStorage(use) {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}

/** The call in JavaScript, one line for each part of the request. */
function asJavaScript(name, request) {
  const parts = Object.entries(request).map(([part, value]) => `  ${part}: ${asLiteral(value)},\n`);
  return `const collection = database.collection(${asLiteral(name)});\nawait collection.search({\n${parts.join('')}});`;
}

const asLiteral = (value) => (typeof value === 'string'
  ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`
  : JSON.stringify(value));
