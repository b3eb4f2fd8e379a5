// Where the browser engine keeps a database: in IndexedDB, in the origin private file system, or in a test's memory.

import type { KithError } from '../errors.js';
import type { Batch, Snapshot, StorageSnapshot } from './module.js';

/** Keeps what the instance has to store. What it rejects with is a `KithError`. */
export interface Store {
  /** All that is stored, but for the bytes of blobs. */
  snapshot(): Promise<Snapshot>;
  /** Reads a complete blob piece by piece. */
  read(storage: number, blob: number, take: (offset: number, bytes: Uint8Array) => void): Promise<void>;
  /** What there is to be checked, while others write. */
  overview(): Promise<Overview>;
  /** What one storage holds, but for the bytes of its blobs; undefined when there is none of its number. */
  snapshotOf(storage: number): Promise<StorageSnapshot | undefined>;
  /** As `read`, while a storage has the manifest of this generation; false when another one holds, or it has gone. */
  readAt(storage: number, current: number | null, blob: number, take: (offset: number, bytes: Uint8Array) => void): Promise<boolean>;
  /**
   * Stores a batch whole, or refuses it and stores nothing of it; of one that is broken off by a crash, it may store a prefix. A
   * strict one survives a power cut, and everything before it with it.
   */
  commit(batch: Batch): Promise<void>;
  /** Lets go of it. Called once, when nothing else is under way but a check. */
  close(): void | Promise<void>;
  /** Called when the place is taken away; nothing can be read or stored afterwards. */
  onLost: ((error: KithError) => void) | undefined;
}

/** What of a store is read beside whoever writes to it. */
export type ReadStore = Pick<Store, 'snapshot' | 'snapshotOf' | 'readAt' | 'close'>;

/** What a store holds, at one moment. */
export interface Overview {
  catalog: StorageSnapshot | undefined;
  /** The numbers of the other storages. */
  others: number[];
  /** About how many manifests, logs and blobs there are. */
  objects: number;
}

/** Lets go of what was taken to have a store for oneself; resolves when others can have it. */
export type Release = () => Promise<void>;
