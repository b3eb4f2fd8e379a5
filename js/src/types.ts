// The interface of KithDB in TypeScript. Every engine implements it; REST and scenario files use the same names.

import type { AutoLink, Graph } from './types-graph.js';
import type { CollectionStats, EngineMemory, Verified } from './types-health.js';
import type { Decay, SearchRequest, SearchResult } from './types-search.js';

export type * from './types-graph.js';
export type * from './types-health.js';
export type * from './types-local.js';
export type * from './types-search.js';

/** What JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Metadata whose fields are not declared. */
export type JsonObject = { [name: string]: Json };

/** The components of a vector; kept as f32. */
export type Vector = Float32Array | readonly number[];

/**
 * What a write waits for. `memory`: nothing, it is written soon after, and the end of the process may take the last
 * writes. `os`: it survives the end of the process; when it survives a power cut is the operating system's business.
 * `everysec`: as `os`, and a power cut may take the last second at most. `always`: it survives a power cut.
 * In a browser `memory` and `os` wait like `everysec`.
 */
export type Durability = 'memory' | 'os' | 'everysec' | 'always';

/**
 * Turns texts into vectors, one for each, all of one length: a model of the caller's, here or elsewhere. It is called with up
 * to 256 texts, and what it throws is thrown by who asked.
 */
export type Embed = (texts: string[], how: EmbedHow) => readonly Vector[] | Promise<readonly Vector[]>;

/** What texts are embedded for. */
export interface EmbedHow {
  /** Documents that are stored, or texts that are searched for: some models want to know. */
  for: 'documents' | 'search';
  /** The signal of the call. */
  signal: AbortSignal | undefined;
}

/** How a collection is spoken to. */
export interface CollectionOptions {
  /**
   * Gives documents that come without a vector one, made of their texts, and so it does for searches. Left out, what the
   * database was opened with; null for none.
   */
  embed?: Embed | null | undefined;
}

/** How a collection is made, by whom, and spoken to. */
export interface CreateOptions extends ChangeOptions, CollectionOptions {}

/** How a database is opened. */
export interface OpenOptions {
  /** Gives what comes without a vector one, in all collections that have no embedder of their own. */
  embed?: Embed | undefined;
  /** What a write waits for unless it says otherwise; default `everysec`. */
  durability?: Durability | undefined;
  /** Directory of an embedder, which turns texts into vectors. */
  embedder?: string | undefined;
  /** Threads for building indexes; default as many as there are cores. */
  threads?: number | undefined;
  /**
   * About how many bytes of memory documents that are not sealed, and jobs, take together at most; left out, half of what
   * there is. What the system caches of files does not count.
   */
  memory_max?: number | undefined;
  /** True to read only: nothing in the directory is written, and others may read it at the same time. */
  read_only?: boolean | undefined;
}

/** How a collection is made. */
export interface CollectionConfig {
  /** How distances are measured; default `cosine`. `euclidean` is squared. */
  metric?: 'cosine' | 'euclidean' | 'dot' | 'manhattan' | undefined;
  /** Dimension of the vectors; left out, the first vector decides. */
  dim?: number | undefined;
  /** Which strings are searched as text; left out, none. */
  text?: TextConfig | undefined;
  /** True, or the embedder's name, to embed texts that come without a vector. */
  embedder?: boolean | string | undefined;
  /** Neighbours a node of the index keeps. */
  m?: number | undefined;
  /** How widely the index searches while it is built. */
  ef_construction?: number | undefined;
  /**
   * How long versions that were replaced or deleted stay readable with `as_of`: `none` (default), `forever`, or a
   * duration such as `30d`.
   */
  history?: 'none' | 'forever' | (string & {}) | undefined;
  /** When segments are written again. */
  maintenance?: MaintenanceConfig | undefined;
  /** How the vectors that readers get back are kept; `f32` by default. */
  stored?: Stored | undefined;
  /** What the index traverses; `int8` by default. */
  codes?: Codes | undefined;
  /** Rules that link documents by their metadata; left out, none. */
  auto_links?: readonly AutoLink[] | undefined;
  /** How searches rank over time that do not say so themselves; left out, not at all. */
  decay?: Decay | 'none' | undefined;
}

/**
 * What the index of a segment traverses instead of its vectors: a byte a component (`int8`), a bit a component (`bits`,
 * for some hundred components and more, not for manhattan), a byte for four (`pq`), or the same of vectors that a
 * learned rotation has turned (`opq`, not for manhattan). The best are compared with the vectors themselves.
 */
export type Codes = 'int8' | 'bits' | 'pq' | 'opq';

/**
 * How the vector that readers get back is kept: its own bits (`f32`), two bytes a component (`f16`), or one (`int8`).
 */
export type Stored = 'f32' | 'f16' | 'int8';

/** How a collection is maintained; what is left out stays as it is. */
export interface MaintenanceConfig {
  /**
   * The share of a segment's versions that have ended from which on it is written again without them: 0.2 by default, 1
   * for never.
   */
  delete_threshold?: number | undefined;
  /** So much time is between two such writes at least: `1m` by default, `0s` for none by themselves. */
  vacuum_interval?: string | undefined;
  /**
   * An index that was built with a lower `ef_construction` is built anew with this one, in the background; 0, the
   * default, for never.
   */
  refine_ef_construction?: number | undefined;
  /** So much time is between two such jobs at least: `30m` by default, `0s` for none by themselves. */
  refine_interval?: string | undefined;
  /** Versions of edges that ended longer ago are dropped, and the graph of before cannot be read: `0s`, the default, for never. */
  graph_retention?: string | undefined;
  /** So much time is between two jobs that drop them at least: `1m` by default, `0s` for none by themselves. */
  graph_vacuum_interval?: string | undefined;
}

/** What every call takes. */
export interface CallOptions {
  /**
   * Gives up waiting: the call throws `cancelled`, and a request to a server is ended. What was already begun may still
   * be done.
   */
  signal?: AbortSignal | undefined;
}

/** What every call takes that changes something. */
export interface ChangeOptions extends CallOptions {
  /**
   * A name of the caller's for this change, such as a UUID: a server does it once, however often it is asked under this
   * name, and the client asks again when no answer came. Engines of this process have no need of it.
   */
  idempotency_key?: string | undefined;
}

/** What of a collection is to be changed. */
export interface ConfigureOptions extends WriteOptions {
  /** When segments are written again. */
  maintenance?: MaintenanceConfig | undefined;
  /** What the index traverses. Segments that have other codes are encoded again one by one, by themselves. */
  codes?: Codes | undefined;
  /** Rules that link documents by their metadata, in place of those before. What is there follows them after `graph.relink`. */
  auto_links?: readonly AutoLink[] | undefined;
  /** How searches rank over time that do not say so themselves. */
  decay?: Decay | 'none' | undefined;
}

/** How somebody waits for what takes long. */
export interface WatchOptions {
  /** Told about ten times a second how far the job that runs has come. */
  onProgress?: ((job: Job) => void) | undefined;
  /** Cancels: who waits gets `cancelled`, and nothing of the job is done. A seal goes on: writers wait for it. */
  signal?: AbortSignal | undefined;
}

/** How a collection is compressed: each segment is a job of its own, and one that is cancelled gets back its codes. */
export type CompressOptions = WatchOptions;

/** A job that runs. */
export interface Job {
  /** What it does. */
  kind: 'seal' | 'index' | 'merge' | 'vacuum' | 'graph_vacuum' | 'recode' | 'refine' | 'optimize' | 'relink' | 'components';
  /** How far it has come, in documents, or for components in ends of edges; what is written and linked counts twice. */
  done: number;
  /** Of how many. */
  total: number;
}

/** How a sample is taken for an estimate. */
export interface EstimateRequest {
  /** Vectors that are looked at: 10,000 by default. */
  sample?: number | undefined;
  /** Of these, how many are searched for: 100 by default. */
  queries?: number | undefined;
  /** How many neighbours of each are compared: 10 by default. */
  k?: number | undefined;
}

/** What other codes and stored forms would take and find, as far as a sample tells. */
export interface Estimate {
  /** Vectors there are, those of versions that have ended included. */
  vectors: number;
  /** Of these, how many were looked at. */
  sample: number;
  /** Of these, how many were searched for. */
  queries: number;
  /** How many neighbours of each were compared. */
  k: number;
  /**
   * What an index would traverse: bytes of memory for all vectors, beside the links; and the share of the nearest that
   * were found, null when these codes cannot serve the metric.
   */
  codes: { codes: Codes; bytes: number; recall: number | null }[];
  /**
   * How vectors would be kept: bytes on the disk for all of them; and the share of the nearest that were found, null
   * when the form cannot hold these vectors.
   */
  stored: { stored: Stored; bytes: number; recall: number | null }[];
}

/** A moment: a date, text in RFC 3339 (`2026-11-21T10:00:00.123456789Z`), or nanoseconds since 1970 UTC. */
export type Time = Date | string | bigint;

/** How documents are read. */
export interface ReadOptions extends CallOptions {
  /** As they were then; left out, as they are now. `history_gone` when that is no longer kept. */
  as_of?: Time | undefined;
}

/** How texts are cut into words: docs/LANGUAGES.md says what each does. */
export type Language =
  | 'none'
  | 'english'
  | 'italian'
  | 'german'
  | 'french'
  | 'spanish'
  | 'portuguese'
  | 'dutch'
  | 'swedish'
  | 'russian';

/** A language by its name or its code of ISO 639-1. */
export type LanguageName = Language | 'en' | 'it' | 'de' | 'fr' | 'es' | 'pt' | 'nl' | 'sv' | 'ru';

/** The text of a collection. */
export interface TextConfig {
  /** How it is cut into words; default `english`. */
  language?: LanguageName | undefined;
  /** Which strings: a list of paths, `top_level` (default) or `all`. */
  fields?: 'top_level' | 'all' | readonly string[] | undefined;
  /** Fields in another language, by path. */
  languages?: Readonly<Record<string, LanguageName>> | undefined;
  /** How long a repeated word goes on counting, 0 (not at all) to 100; default 1.2. */
  k1?: number | undefined;
  /** How much the length of a field counts, 0 (not at all) to 1; default 0.75. */
  b?: number | undefined;
  /** How much a field counts, by path: above 0, up to 1000; default 1 each. */
  weights?: Readonly<Record<string, number>> | undefined;
}

/** A document to be stored. */
export interface NewDocument<Metadata extends object = JsonObject> {
  /** Its id. */
  id: string;
  /** Its vector. */
  vector?: Vector | null | undefined;
  /** Whatever JSON can hold; its strings are the text when the collection has text. */
  metadata?: Metadata | null | undefined;
  /** When it goes by itself. */
  expires_at?: Time | null | undefined;
  /** After which time it goes by itself, such as `90s`, `1h30m` or `30d`; instead of `expires_at`. */
  ttl?: string | null | undefined;
}

/** A document that is stored. */
export interface Document<Metadata extends object = JsonObject> {
  /** Its id. */
  id: string;
  /** Its vector; null without one. */
  vector: Float32Array | null;
  /** Its metadata. */
  metadata: Metadata;
}

/** A version of a document. */
export interface Version<Metadata extends object = JsonObject> extends Document<Metadata> {
  /** Since when it is there, in RFC 3339. */
  valid_from: string;
  /** The first moment at which it is not, because it was replaced or deleted or expires; null for no such moment. */
  valid_to: string | null;
}

/** How a write is done. */
export interface WriteOptions extends ChangeOptions {
  /** What it waits for; left out, what the database was opened with. */
  durability?: Durability | undefined;
}

/** How documents are stored. */
export interface AddOptions extends WriteOptions {
  /**
   * True to store many documents at once: up to a million, as a segment and not through the log. Quicker, visible all
   * at once, and durable when it is answered, whatever `durability` says. In a tab it is one long step.
   */
  bulk?: boolean | undefined;
}

/** How far something has come. */
export interface Progress {
  /** Documents, bytes of a file, or objects that were checked. */
  done: number;
  /** Of how many; null where nobody knows. */
  total: number | null;
}

/** How documents are stored as they come. */
export interface LoadOptions extends CallOptions {
  /** True to store them in place of those with their ids; else the first whose id is there ends it. */
  upsert?: boolean | undefined;
  /** What each batch waits for; left out, what the database was opened with. */
  durability?: Durability | undefined;
  /** How many are written at once, up to 50,000; default 1,000. Fewer, where they are large. */
  batch?: number | undefined;
  /** Told after each batch how many documents are stored. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** How a file is imported. */
export interface ImportOptions extends CreateOptions {
  /** Told as the file is read, in bytes. What is done with it then is one step. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** How a check of everything is waited for. */
export interface VerifyOptions extends CallOptions {
  /** Told by a browser's engine, in how many objects of about how many it has looked. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** What a write did. */
export interface Written {
  /** Documents stored. */
  written: number;
  /** Those of them whose id was there before. */
  replaced: number;
}

/** Which documents are gone through. */
export interface ScanOptions extends ReadOptions {
  /** From where on: the `next` of a page. What is written meanwhile does not move it. */
  cursor?: string | null | undefined;
}

/** Which page of documents. */
export interface PageRequest {
  /** How many documents; default 100. */
  limit?: number | undefined;
  /** The `next` of an earlier page, which stays good whatever is written, and after a restart. */
  cursor?: string | null | undefined;
  /** Documents as they were then; left out, as they are now. */
  as_of?: Time | undefined;
}

/** A page of documents, in the order in which they were stored. */
export interface Page<Metadata extends object = JsonObject> {
  /** The documents. */
  documents: Document<Metadata>[];
  /** The cursor of the next page; null after the last. */
  next: string | null;
}

/** Which keys to list. */
export interface KeysRequest {
  /** What they begin with; left out, all do. */
  prefix?: string | undefined;
  /** How many; default 100. */
  limit?: number | undefined;
  /** The `next` of an earlier page. */
  cursor?: string | null | undefined;
}

/** A page of keys. */
export interface KeysPage {
  /** Sorted by the bytes of their UTF-8. */
  keys: string[];
  /** The cursor of the next page; null after the last. */
  next: string | null;
}

/**
 * The key-value store of a database: as durable as its collections, and seen by none of their verbs. A key is 1 to 1000
 * bytes of UTF-8 without NUL, a value text of up to 16 MiB of UTF-8. Every method throws a `KithError`.
 */
export interface KeyValueStore {
  /** The value of a key; null when it is not there. */
  get(key: string, options?: CallOptions): Promise<string | null>;
  /** Gives a key its value, all of it or nothing; true when it had one before. */
  set(key: string, value: string, options?: WriteOptions): Promise<boolean>;
  /** Takes a key away; true when it was there. */
  delete(key: string, options?: WriteOptions): Promise<boolean>;
  /** A page of keys. Each page looks at every key once. */
  list(request?: KeysRequest, options?: CallOptions): Promise<KeysPage>;
}

/** How often a document was touched. */
export interface Touch {
  /** How often since it was last stored. */
  count: number;
  /** When last: RFC 3339. */
  last: string;
}

/** What a collection is and holds. */
export interface CollectionInfo {
  /** Its name. */
  name: string;
  /** How distances are measured. */
  metric: 'cosine' | 'euclidean' | 'dot' | 'manhattan';
  /** Dimension of its vectors; null until the first. */
  dim: number | null;
  /** How its text is cut into words; null without text. */
  language: Language | null;
  /** Which strings are its text; null without text. */
  fields: 'top_level' | 'all' | string[] | null;
  /** Fields in another language, by path; left out without any. */
  languages?: Record<string, Language>;
  /** How long a repeated word goes on counting; null without text. */
  k1: number | null;
  /** How much the length of a field counts; null without text. */
  b: number | null;
  /** How much a field counts, by path; left out when all count the same. */
  weights?: Record<string, number>;
  /** What embeds its texts; null for nothing. */
  embedder: string | null;
  /** Neighbours a node of the index keeps. */
  m: number;
  /** How widely the index searches while it is built. */
  ef_construction: number;
  /** How long versions that were replaced or deleted stay readable: `none`, `forever` or a duration. */
  history: string;
  /** When segments are written again. */
  maintenance: {
    delete_threshold: number;
    vacuum_interval: string;
    refine_ef_construction: number;
    refine_interval: string;
    graph_retention: string;
    graph_vacuum_interval: string;
  };
  /** How vectors are kept. */
  stored: Stored;
  /** What the index traverses. */
  codes: Codes;
  /** Rules that link documents by their metadata; left out without any. */
  auto_links?: AutoLink[];
  /** How searches rank over time that do not say so themselves; null for not at all. */
  decay: Decay | null;
  /** The earliest moment that can be read, in RFC 3339; null when that is any. */
  earliest: string | null;
  /** The earliest moment at which the graph can be read; null when that is any. */
  graph_earliest: string | null;
  /** Live documents. */
  documents: number;
  /** Those of them that are in the memtable. */
  memtable: number;
  /** About how many bytes the memtable takes. */
  memtable_bytes: number;
  /** Segments. */
  segments: number;
  /** Segments with an index. */
  indexed: number;
  /** Versions that have ended and are still stored. */
  ended: number;
  /** Writes that waited for a seal since it was opened. */
  write_waits: number;
  /** Why it takes no more writes; null while it does. */
  degraded: string | null;
}

/** A database. Every method throws a `KithError`. */
export interface Database extends AsyncDisposable, Disposable {
  /** Makes a collection. */
  create<Metadata extends object = JsonObject>(
    name: string,
    config?: CollectionConfig,
    options?: CreateOptions,
  ): Promise<Collection<Metadata>>;
  /**
   * A collection that is there; `unknown_collection` when it is not, which a server tells with what is first asked of it.
   * It is opened by what first asks something of it, which says `unopenable` when that fails, and `corrupt` where damage
   * is found later, as it is read.
   */
  collection<Metadata extends object = JsonObject>(name: string, options?: CollectionOptions): Collection<Metadata>;
  /** What all collections are and hold, by name. */
  collections(options?: CallOptions): Promise<CollectionInfo[]>;
  /** Drops a collection and all its documents. */
  drop(name: string, options?: ChangeOptions): Promise<void>;
  /** Makes a collection from an export: its bytes, or a stream of them. */
  import<Metadata extends object = JsonObject>(
    name: string,
    file: Uint8Array | Blob | ReadableStream<Uint8Array>,
    options?: ImportOptions,
  ): Promise<Collection<Metadata>>;
  /** Texts under keys, beside the collections. */
  readonly kv: KeyValueStore;
  /** What the collections hold and take, the key-value store's (`$kv`) among them; each is opened. */
  stats(options?: CallOptions): Promise<CollectionStats[]>;
  /**
   * Reads every byte that is stored and tells what is not as it was written; nothing is changed. Reads and writes go on
   * meanwhile, jobs of a collection wait while it is checked. A server wants the role admin for it. A browser's engine reads
   * its store again, blob by blob.
   */
  verify(options?: VerifyOptions): Promise<Verified>;
  /**
   * What memory the engine has taken: in a browser that of the wasm instance, which all databases of a page or Worker share and
   * which gives none of it back before the last of them is closed. In Node and over a connection `unsupported`: there it is that
   * of a process, which is asked itself.
   */
  memory(options?: CallOptions): Promise<EngineMemory>;
  /** Makes every write so far survive a power cut. */
  flush(options?: CallOptions): Promise<void>;
  /**
   * Makes every write durable and lets go of the directory; over a connection, lets go of that. Everything answers
   * `closed` then; closing twice is fine.
   */
  close(): Promise<void>;
}

/** A named set of documents. Every method throws a `KithError`; a write does all it was asked or nothing. */
export interface Collection<Metadata extends object = JsonObject> {
  /** Its name. */
  readonly name: string;
  /** The edges between its documents. */
  readonly graph: Graph<Metadata>;
  /** Stores a document; `document_exists` when its id is there. */
  add(document: NewDocument<Metadata>, options?: WriteOptions): Promise<Written>;
  /** Stores documents; `document_exists` when one of their ids is there. */
  addMany(documents: readonly NewDocument<Metadata>[], options?: AddOptions): Promise<Written>;
  /** Stores a document, in place of the one with its id. */
  upsert(document: NewDocument<Metadata>, options?: WriteOptions): Promise<Written>;
  /** Stores documents, in place of those with their ids. */
  upsertMany(documents: readonly NewDocument<Metadata>[], options?: AddOptions): Promise<Written>;
  /**
   * Stores any number of documents as they come, batch after batch; each batch is stored whole or not at all. What was stored
   * stays when it is given up, or when a batch is refused.
   */
  load(
    documents: Iterable<NewDocument<Metadata>> | AsyncIterable<NewDocument<Metadata>> | ReadableStream<NewDocument<Metadata>>,
    options?: LoadOptions,
  ): Promise<Written>;
  /** Deletes documents and answers how many of them were there. */
  delete(ids: string | readonly string[], options?: WriteOptions): Promise<number>;
  /** Counts a use of documents, without making a version of them, and answers how many of them were there. */
  touch(ids: string | readonly string[], options?: WriteOptions): Promise<number>;
  /** How often documents were touched, in the order of the ids; null for one that never was, or is not there. */
  touches(ids: readonly string[], options?: CallOptions): Promise<(Touch | null)[]>;
  /** A document; null when it is not there. */
  get(id: string, options?: ReadOptions): Promise<Document<Metadata> | null>;
  /** Documents as of one moment, in the order of the ids; null where there is none. */
  getMany(ids: readonly string[], options?: ReadOptions): Promise<(Document<Metadata> | null)[]>;
  /** The versions of a document that are kept, the newest first. */
  versions(id: string, options?: CallOptions): Promise<Version<Metadata>[]>;
  /** Searches. */
  search(request: SearchRequest<Metadata>, options?: CallOptions): Promise<SearchResult<Metadata>>;
  /**
   * Searches for many at once, all in one state of the collection: up to 1,000, with 100,000 results together. Threads
   * share them where there are some. The first that is refused refuses all.
   */
  searchMany(requests: readonly SearchRequest<Metadata>[], options?: CallOptions): Promise<SearchResult<Metadata>[]>;
  /** All documents, in the order in which they were stored, page by page. */
  scan(options?: ScanOptions): AsyncIterableIterator<Document<Metadata>>;
  /** A page of documents, in the order in which they were stored. */
  page(request?: PageRequest, options?: CallOptions): Promise<Page<Metadata>>;
  /** Makes a segment of the documents in the memtable; false when there are none. Happens by itself when it is due. */
  seal(options?: WatchOptions): Promise<boolean>;
  /** Gives one segment an index; false when all have one. Happens by itself when it is due. */
  index(options?: WatchOptions): Promise<boolean>;
  /**
   * Makes one segment of some neighbouring ones: of those that are due, else of the two that cost least; false when there
   * is nothing to gain. Happens by itself when it is due.
   */
  merge(options?: WatchOptions): Promise<boolean>;
  /**
   * Writes the segment again in which most versions have ended, without them; false when nothing has ended in any.
   * Happens by itself when it is due.
   */
  vacuum(options?: WatchOptions): Promise<boolean>;
  /** Gives a segment the codes that were asked for; false when all have them. Happens by itself when it is due. */
  recode(options?: WatchOptions): Promise<boolean>;
  /**
   * Builds the index of a segment anew with `refine_ef_construction`, where it was built with less; false when none was.
   * Happens by itself, every `refine_interval` at most.
   */
  refine(options?: WatchOptions): Promise<boolean>;
  /**
   * Makes one segment with an index of all documents, for the quickest searches; false when it is so already. It never
   * happens by itself: worth it once much was loaded or replaced.
   */
  optimize(options?: WatchOptions): Promise<boolean>;
  /** Has every segment take these codes, now and from now on; searches go on meanwhile. */
  compress(codes: Codes, options?: CompressOptions): Promise<void>;
  /** Tells from a sample what other codes and stored forms would take and find. */
  estimate(request?: EstimateRequest, options?: CallOptions): Promise<Estimate>;
  /** The job that runs, whoever asked for it, a relink or a look for components before any other; null for none. */
  job(options?: CallOptions): Promise<Job | null>;
  /**
   * Has the job that runs end without having done anything, but that a relink keeps what it linked; whoever waits for it
   * gets `cancelled`. False when there is none, and for a seal: writers wait for it.
   */
  cancelJob(options?: CallOptions): Promise<boolean>;
  /** Changes how it is maintained from now on. */
  configure(change: ConfigureOptions): Promise<void>;
  /** The collection as one file, which every engine can import. */
  export(options?: CallOptions): Promise<Uint8Array>;
  /** The same, piece by piece as it arrives from a server; an engine of this process has it whole. */
  exportStream(options?: CallOptions): Promise<ReadableStream<Uint8Array>>;
  /** What it is and holds. */
  info(options?: CallOptions): Promise<CollectionInfo>;
}
