// The service worker: lets the page be loaded without its server. It keeps every file of the page and of the engine,
// all of one version, and hands them out only when the server does not answer; while it does, its files are used, and
// a changed one replaces the kept ones as a whole. The embedder and the data are kept elsewhere, by the page itself.

/** Each version has a cache of its own; files.json is put into it last, so that a cache with it is complete. */
const PREFIX = 'kithdb-page-';
/** The page, where this script lies: a proxy may have put both below any path. */
const INDEX = new URL('./', location.href).pathname;
const LIST = `${INDEX}files.json`;
/** The module with threads, which the page has no use for. */
const UNUSED = 'kithdb/wasm/threads/';
/** A server that takes longer, in ms, is as good as none when the file is kept. */
const PATIENCE = 3000;

addEventListener('install', (event) => {
  skipWaiting();
  event.waitUntil(refresh());
});

addEventListener('activate', (event) => event.waitUntil(clients.claim()));

addEventListener('fetch', (event) => {
  const { method, url, mode } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== location.origin || !pathname.startsWith(INDEX)) return;
  const kept = mode === 'navigate' ? INDEX : pathname;
  event.respondWith(answer(event.request, kept));
  // A new version may have come with this visit. The answer does not wait for it.
  if (mode === 'navigate') event.waitUntil(refresh().catch(() => {}));
});

/** The server's answer, or what is kept when there is none in time. */
async function answer(request, kept) {
  const asked = fetch(request);
  // It may fail when nobody looks any more.
  asked.catch(() => {});
  try {
    return await Promise.race([asked, timeout()]);
  } catch {
    return (await keptFile(kept)) ?? asked;
  }
}

const timeout = () => new Promise((_, late) => { setTimeout(() => late(new Error('too late')), PATIENCE); });

async function keptFile(path) {
  const name = await completeCache();
  return name && (await caches.open(name)).match(path);
}

/** The cache of the version that is kept; undefined before the first. */
async function completeCache() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  for (const name of names) {
    if (await (await caches.open(name)).match(LIST)) return name;
  }
  return undefined;
}

/** Keeps what the server has now, unless that is kept already. */
async function refresh() {
  const list = await fetchFile(LIST);
  const { version, files } = await list.clone().json();
  const name = PREFIX + version;
  const before = await completeCache();
  if (before === name) return;
  const cache = await caches.open(name);
  const used = files.filter((file) => !file.startsWith(UNUSED));
  const paths = used.map((file) => (file === 'index.html' ? INDEX : `${INDEX}${file}`));
  await Promise.all(paths.map(async (path) => cache.put(path, await fetchFile(path))));
  await cache.put(LIST, list);
  const others = (await caches.keys()).filter((other) => other.startsWith(PREFIX) && other !== name);
  await Promise.all(others.map((other) => caches.delete(other)));
}

async function fetchFile(path) {
  const response = await fetch(path, { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}
