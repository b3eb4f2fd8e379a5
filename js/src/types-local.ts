// What only an engine of this process can do: answer before the call returns.

import type {
  AddOptions,
  Collection,
  CollectionConfig,
  CollectionInfo,
  CollectionOptions,
  CreateOptions,
  Database,
  Document,
  EdgesRequest,
  EdgesResult,
  Graph,
  GraphPath,
  ImportOptions,
  JsonObject,
  KeysPage,
  KeysRequest,
  KeyValueStore,
  NewDocument,
  NewEdge,
  Page,
  PageRequest,
  PathRequest,
  ReadOptions,
  SearchRequest,
  SearchResult,
  Subgraph,
  SubgraphRequest,
  Traversal,
  TraverseRequest,
  Unlinked,
  WriteOptions,
  Written,
} from './types.js';

/** The edges between the documents of a collection of this process. */
export interface LocalGraph<Metadata extends object = JsonObject> extends Graph<Metadata> {
  /** As `edges`. */
  edgesSync(request: EdgesRequest): EdgesResult<Metadata>;
  /** As `traverse`. */
  traverseSync(request: TraverseRequest): Traversal<Metadata>;
  /** As `subgraph`. */
  subgraphSync(request: SubgraphRequest): Subgraph<Metadata>;
  /** As `path`. */
  pathSync(request: PathRequest): GraphPath<Metadata>;
}

/** The key-value store of a database of this process. */
export interface LocalKeyValueStore extends KeyValueStore {
  /** As `get`. */
  getSync(key: string): string | null;
  /** As `list`. */
  listSync(request?: KeysRequest): KeysPage;
}

/** A collection of an engine of this process. */
export interface LocalCollection<Metadata extends object = JsonObject> extends Collection<Metadata> {
  /** The edges between its documents. */
  readonly graph: LocalGraph<Metadata>;
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
  /** Texts under keys, beside the collections. */
  readonly kv: LocalKeyValueStore;
  create<Metadata extends object = JsonObject>(
    name: string,
    config?: CollectionConfig,
    options?: CreateOptions,
  ): Promise<LocalCollection<Metadata>>;
  collection<Metadata extends object = JsonObject>(name: string, options?: CollectionOptions): LocalCollection<Metadata>;
  import<Metadata extends object = JsonObject>(
    name: string,
    file: Uint8Array | Blob | ReadableStream<Uint8Array>,
    options?: ImportOptions,
  ): Promise<LocalCollection<Metadata>>;
}

/** The edges between the documents of a collection in Node. */
export interface NodeGraph<Metadata extends object = JsonObject> extends LocalGraph<Metadata> {
  /** As `link`. */
  linkSync(edges: NewEdge | readonly NewEdge[], options?: WriteOptions): number;
  /** As `unlink`. */
  unlinkSync(edges: Unlinked | readonly Unlinked[], options?: WriteOptions): number;
}

/** The key-value store of a database in Node. */
export interface NodeKeyValueStore extends LocalKeyValueStore {
  /** As `set`. */
  setSync(key: string, value: string, options?: WriteOptions): boolean;
  /** As `delete`. */
  deleteSync(key: string, options?: WriteOptions): boolean;
}

/** A collection in Node, where a script may wait for writes, too. */
export interface NodeCollection<Metadata extends object = JsonObject> extends LocalCollection<Metadata> {
  /** The edges between its documents. */
  readonly graph: NodeGraph<Metadata>;
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
  /** Texts under keys, beside the collections. */
  readonly kv: NodeKeyValueStore;
  create<Metadata extends object = JsonObject>(
    name: string,
    config?: CollectionConfig,
    options?: CreateOptions,
  ): Promise<NodeCollection<Metadata>>;
  collection<Metadata extends object = JsonObject>(name: string, options?: CollectionOptions): NodeCollection<Metadata>;
  import<Metadata extends object = JsonObject>(
    name: string,
    file: Uint8Array | Blob | ReadableStream<Uint8Array>,
    options?: ImportOptions,
  ): Promise<NodeCollection<Metadata>>;
  /** As `create`. */
  createSync<Metadata extends object = JsonObject>(
    name: string,
    config?: CollectionConfig,
    options?: CollectionOptions,
  ): NodeCollection<Metadata>;
  /** As `collections`. */
  collectionsSync(): CollectionInfo[];
  /** As `drop`. */
  dropSync(name: string): void;
}
