// What only an engine of this process can do: answer before the call returns.

import type {
  AddOptions,
  ChangeOptions,
  Collection,
  CollectionConfig,
  CollectionInfo,
  Database,
  Document,
  JsonObject,
  NewDocument,
  Page,
  PageRequest,
  ReadOptions,
  SearchRequest,
  SearchResult,
  WriteOptions,
  Written,
} from './types.js';

/** A collection of an engine of this process. */
export interface LocalCollection<Metadata extends object = JsonObject> extends Collection<Metadata> {
  /** Searches on the calling thread: quicker for one search, and nothing else runs meanwhile. */
  searchSync(request: SearchRequest<Metadata>): SearchResult<Metadata>;
  /** As `get`. */
  getSync(id: string, options?: ReadOptions): Document<Metadata> | null;
  /** As `getMany`. */
  getManySync(ids: readonly string[], options?: ReadOptions): (Document<Metadata> | null)[];
  /** As `page`. */
  pageSync(request?: PageRequest): Page<Metadata>;
  /** As `info`. */
  infoSync(): CollectionInfo;
}

/** A database of an engine of this process. */
export interface LocalDatabase extends Database {
  create<Metadata extends object = JsonObject>(
    name: string,
    config?: CollectionConfig,
    options?: ChangeOptions,
  ): Promise<LocalCollection<Metadata>>;
  collection<Metadata extends object = JsonObject>(name: string): LocalCollection<Metadata>;
  import<Metadata extends object = JsonObject>(
    name: string,
    file: Uint8Array | Blob | ReadableStream<Uint8Array>,
    options?: ChangeOptions,
  ): Promise<LocalCollection<Metadata>>;
}

/** A collection in Node, where a script may wait for writes, too. */
export interface NodeCollection<Metadata extends object = JsonObject> extends LocalCollection<Metadata> {
  /** As `add`. */
  addSync(document: NewDocument<Metadata>, options?: WriteOptions): Written;
  /** As `addMany`. */
  addManySync(documents: readonly NewDocument<Metadata>[], options?: AddOptions): Written;
  /** As `upsert`. */
  upsertSync(document: NewDocument<Metadata>, options?: WriteOptions): Written;
  /** As `upsertMany`. */
  upsertManySync(documents: readonly NewDocument<Metadata>[], options?: AddOptions): Written;
  /** As `delete`. */
  deleteSync(ids: string | readonly string[], options?: WriteOptions): number;
}

/** A database in Node. */
export interface NodeDatabase extends LocalDatabase {
  create<Metadata extends object = JsonObject>(
    name: string,
    config?: CollectionConfig,
    options?: ChangeOptions,
  ): Promise<NodeCollection<Metadata>>;
  collection<Metadata extends object = JsonObject>(name: string): NodeCollection<Metadata>;
  import<Metadata extends object = JsonObject>(
    name: string,
    file: Uint8Array | Blob | ReadableStream<Uint8Array>,
    options?: ChangeOptions,
  ): Promise<NodeCollection<Metadata>>;
  /** As `create`. */
  createSync<Metadata extends object = JsonObject>(name: string, config?: CollectionConfig): NodeCollection<Metadata>;
  /** As `collections`. */
  collectionsSync(): CollectionInfo[];
  /** As `drop`. */
  dropSync(name: string): void;
}
