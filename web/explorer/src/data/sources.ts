// Where databases are: the server of this page, this browser, another server. A source has an id for the address, and
// opens as the one interface that all of them have.

import { startWorker } from '../app/worker.js';
import { forgetEmbedder, keptEmbedder } from './embedder.js';
import { engine } from './engine.js';
import { engineWorkerAddress, serverAddress } from './place.js';
import { tokenFor } from './tokens.js';
import type { Database } from './types.js';
import { removeUnfinished } from './unfinished.js';

/** Where a database is. */
export interface Source {
  /** As it stands in an address: `server`, `browser:NAME` or `remote:URL`. */
  id: string;
  kind: 'server' | 'browser' | 'remote';
  /** For people. */
  title: string;
  /** The address of a server; for the browser's own, null. */
  address: string | null;
  /** The name of a database of this browser; for a server, null. */
  name: string | null;
}

const BROWSER = 'browser:';
const REMOTE = 'remote:';
/** Names of the engine's databases in IndexedDB begin so. */
const STORED = 'kithdb:';
const REMOTES = 'kithdb.remotes';

/** The server that this page came from. */
export const SERVER: Source = { id: 'server', kind: 'server', title: 'This server', address: null, name: null };

/** The source of an id; null for what is none. */
export function sourceOf(id: string): Source | null {
  if (id === SERVER.id) return { ...SERVER, address: serverAddress().href };
  if (id.startsWith(BROWSER) && id.length > BROWSER.length) return browserSource(id.slice(BROWSER.length));
  if (id.startsWith(REMOTE)) return remoteSource(id.slice(REMOTE.length));
  return null;
}

/** A database of this browser. */
export const browserSource = (name: string): Source => ({
  id: BROWSER + name, kind: 'browser', title: `This browser: ${name}`, address: null, name,
});

/** Another server; null for what is no address of one. Names and passwords in it are refused. */
export function remoteSource(text: string): Source | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return null;
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { id: REMOTE + url.href, kind: 'remote', title: url.host + url.pathname.replace(/\/$/, ''), address: url.href, name: null };
}

/** How a database of this browser is opened. */
export interface OpenOptions {
  /** For this alone: refused while anything of the explorer has it open, in this tab or in another. */
  isAlone?: boolean;
}

/** Opens it. A server is not asked anything yet. */
export async function openSource(source: Source, { isAlone = false }: OpenOptions = {}): Promise<Database> {
  const { connect, open } = await engine();
  if (source.kind === 'browser') {
    const name = source.name!;
    const database = await open(name, { embedder: await keptEmbedder(name), ...inWorker(isAlone) });
    await removeUnfinished(database, name);
    return database;
  }
  const token = tokenFor(source.address!);
  return connect(source.address!, token === undefined ? {} : { token });
}

/**
 * In a Worker, and together with other tabs of the explorer unless it is to be alone. Where an origin is not secure there are no locks by which tabs
 * could share: there the tab that opened last has it.
 */
const inWorker = (isAlone: boolean) => ({ worker: startWorker(engineWorkerAddress().href), shared: !isAlone && 'locks' in navigator });

/** Deletes a database of this browser and what is kept for it, for good. `database_locked` while anything has it open. */
export async function deleteSource({ name }: Source): Promise<void> {
  const { deleteDatabase } = await engine();
  await deleteDatabase(name!);
  await forgetEmbedder(name!);
}

/** The databases that this browser keeps, by name. */
export async function browserDatabases(): Promise<string[]> {
  try {
    const all = await indexedDB.databases();
    return all.flatMap(({ name }) => (name?.startsWith(STORED) ? [name.slice(STORED.length)] : [])).sort();
  } catch {
    return [];
  }
}

/** The servers that were entered before in this browser. Addresses only, no token. */
export function knownRemotes(): Source[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(REMOTES) ?? '[]');
    const urls = Array.isArray(list) ? list.filter((url) => typeof url === 'string') : [];
    return urls.map(remoteSource).filter((source) => source !== null);
  } catch {
    return [];
  }
}

/** Remembers a server that was entered. */
export function rememberRemote(source: Source): void {
  const urls = [source, ...knownRemotes()].map(({ address }) => address);
  try {
    localStorage.setItem(REMOTES, JSON.stringify([...new Set(urls)].slice(0, 10)));
  } catch {
    // A browser can be told to keep nothing.
  }
}
