// The types of the package: what must compile, and behind `@ts-expect-error` what must not. types.test.mjs compiles it.

import {
  type Collection,
  type CollectionFigures,
  type Database,
  type Document,
  type Embed,
  type Filter,
  KithError,
  type LocalDatabase,
  type NodeCollection,
  type SearchResult,
  type Written,
  connect,
  deleteDatabase,
  open,
  openMemory,
  openMemorySync,
  openSync,
} from 'kithdb';
import * as browser from 'kithdb/wasm';

/** Compiles only for two types that are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <T extends true>(): T | undefined => undefined;

interface Film {
  title: string;
  year: number;
  crew?: { director: string };
}

export async function everywhere(db: Database): Promise<void> {
  const films: Collection<Film> = await db.create<Film>('films', { metric: 'cosine', text: { weights: { title: 2 } } });
  await films.add({ id: 'a', vector: [1, 2], metadata: { title: 'Alien', year: 1979 }, ttl: '30d' });
  await films.add({ id: 'b', vector: new Float32Array(2), expires_at: new Date() }, { durability: 'always', idempotency_key: 'k' });
  // @ts-expect-error: not the metadata of a film
  await films.add({ id: 'c', metadata: { title: 'Alien' } });
  // @ts-expect-error: no level
  await films.add({ id: 'c' }, { durability: 'soon' });

  const film = await films.get('a', { as_of: 0n, signal: AbortSignal.timeout(1000) });
  same<Same<typeof film, Document<Film> | null>>();
  const title: string | undefined = film?.metadata.title;
  for (const time of [1n, new Date(), '2026-01-01T00:00:00Z']) await films.get('a', { as_of: time });
  // @ts-expect-error: a number could be anything
  await films.get('a', { as_of: 5 });

  // Filters as text or as trees of fields that there are.
  const text: Filter<Film> = 'year >= 1990';
  const tree: Filter<Film> = { and: [{ field: 'year', op: '>=', value: 1990 }, { not: { field: 'crew.director', op: 'is null' } }] };
  // @ts-expect-error: films have no such field
  const other: Filter<Film> = { field: 'length', op: '<', value: 90 };
  // @ts-expect-error: `between` takes two
  const one: Filter<Film> = { field: 'year', op: 'between', value: [1] };
  const found = await films.search({ text: 'space', filter: tree, sort: ['year'], facets: ['year', { field: 'title', limit: 3 }] });
  same<Same<typeof found, SearchResult<Film>>>();
  const year: number = found.hits[0]!.metadata.year;
  // @ts-expect-error: nor here
  await films.search({ sort: ['length'] });
  const many = await films.searchMany([{ filter: text }, { vector: [1, 2] }], { signal: new AbortController().signal });
  same<Same<typeof many, SearchResult<Film>[]>>();

  for await (const { id, vector, metadata } of films.scan({ as_of: new Date() })) [id, vector?.length, metadata.year];
  const { documents, next } = await films.page({ limit: 10, cursor: null });
  same<Same<typeof next, string | null>>();
  same<Same<typeof documents, Document<Film>[]>>();
  await films.optimize({ onProgress: ({ kind, done, total }) => [kind, done / total], signal: AbortSignal.abort() });
  const { nodes } = await films.graph.edges({ id: 'a', hydrate: true });
  const director: string | undefined = nodes[0]?.metadata?.crew?.director;

  // Metadata that is not declared is whatever JSON can hold, and any field can be asked for.
  const anything = db.collection('anything');
  await anything.search({ filter: { field: 'whatever.there.is', op: 'exists' } });
  // @ts-expect-error: not without looking
  const length: number = (await anything.get('a'))!.metadata['length'];

  const [stats] = await db.stats();
  if (stats && !('error' in stats)) same<Same<typeof stats, CollectionFigures>>();
  const { clean } = await db.verify({ onProgress: ({ done, total }) => total && done / total });
  await db.import('copy', await films.exportStream(), { onProgress: ({ done, total }) => total && done / total });
  const embed: Embed = async (texts, { for: what, signal }) => texts.map(() => (what === 'search' && !signal ? [1] : new Float32Array(1)));
  db.collection<Film>('films', { embed });
  await db.create('notes', {}, { embed, idempotency_key: 'k' });
  // @ts-expect-error: a function answers vectors
  db.collection('films', { embed: (texts: string[]) => texts });
  const written = await films.load([{ id: 'a', metadata: { title: 'Alien', year: 1979 } }], { upsert: true, batch: 10 });
  same<Same<typeof written, Written>>();
  await films.load((async function* () {})(), { onProgress: ({ done }) => done, signal: AbortSignal.abort() });
  await films.load(new ReadableStream<{ id: string }>(), { durability: 'os' });
  // @ts-expect-error: not documents
  await films.load(['a']);
  await db.kv.set('key', 'value', { durability: 'always' });
  [title, other, one, year, director, length, clean];
}

// A server answers promises only; an engine of this process also before it returns, and in Node writes so.
export async function engines(): Promise<void> {
  await using remote = await connect('http://localhost:9091', { token: 't', embed: () => [], signal: AbortSignal.timeout(9), retries: 3 });
  same<Same<typeof remote, Database>>();
  // @ts-expect-error: not over a network
  remote.collection('a').searchSync({});
  // @ts-expect-error: a token is text
  await connect('http://localhost', { token: 5 });

  using tab = await browser.openMemory();
  same<Same<typeof tab, LocalDatabase>>();
  tab.collection('a').searchSync({ text: 'a' });
  tab.collection('a').getSync('a');
  tab.collection<Film>('a').graph.edgesSync({ id: 'a', hydrate: true }).nodes[0]?.metadata?.title;
  const value: string | null = tab.kv.getSync('key');
  // @ts-expect-error: a tab cannot wait for its store
  tab.kv.setSync('key', 'value');
  // @ts-expect-error: a tab cannot wait for its store
  tab.collection('a').addSync({ id: 'a' });
  await browser.connect('http://localhost:9091');

  using worker = await browser.open('films', { worker: true, embed: async (texts) => texts.map(() => [1]) });
  same<Same<typeof worker, Database>>();
  // @ts-expect-error: a Worker answers promises only
  worker.collection('a').searchSync({});
  await using tabs = await browser.open('films', { shared: true, durability: 'always' });
  same<Same<typeof tabs, Database>>();
  const own = await browser.openMemory({ worker: new Worker('worker.js', { type: 'module' }) });
  same<Same<typeof own, Database>>();
  await using files = await browser.open('films', { worker: true, storage: 'opfs' });
  same<Same<typeof files, Database>>();
  // @ts-expect-error: there is no such place
  await browser.open('films', { storage: 'disk' });
  const isDeleted: boolean = await browser.deleteDatabase('films');
  same<Same<typeof deleteDatabase, typeof browser.deleteDatabase>>();
  const here = await browser.open('films', { worker: false, threads: 2 });
  same<Same<typeof here, LocalDatabase>>();
  // @ts-expect-error: a script has to be started by whoever names it
  await browser.open('films', { worker: 'worker.js' });

  using node = openSync('./directory', { durability: 'os' });
  const films = node.createSync<Film>('films');
  same<Same<typeof films, NodeCollection<Film>>>();
  films.addSync({ id: 'a', metadata: { title: 'Alien', year: 1979 } });
  const year: number | undefined = films.getSync('a')?.metadata.year;
  films.graph.linkSync({ source: 'a', relation: 'to', target: 'b' });
  node.kv.setSync('key', 'value', { durability: 'always' });
  for (const db of [await open('a'), await openMemory(), openMemorySync()]) await everywhere(db);
  await everywhere(remote);
  await everywhere(tab);
  try {
    films.deleteSync(['a']);
  } catch (error) {
    if (error instanceof KithError) same<Same<typeof error.code, string>>();
  }
  [year, value, isDeleted];
}
