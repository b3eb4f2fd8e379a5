// What a database holds and takes, and how it was found when it was checked.

import type { Report } from './errors.js';

/** What memory an engine has taken. */
export interface EngineMemory {
  bytes: number;
}

/** What a collection holds and takes, or why that cannot be read. */
export type CollectionStats = CollectionFigures | { name: string; error: Report };

/** What a collection holds and takes. */
export interface CollectionFigures {
  name: string;
  metric: 'cosine' | 'euclidean' | 'dot' | 'manhattan';
  /** Dimension of its vectors; null until the first. */
  dim: number | null;
  embedder: string | null;
  /** Live documents. */
  documents: number;
  /** Those of them that have a vector. */
  vectors: number;
  /** Versions that have ended and are still stored. */
  ended: number;
  /** Bytes by kind of blob. */
  segments: { slots: number; live: number; bytes: Record<string, number> }[];
  /** What opening it would read from its logs. */
  memtable: { documents: number; frames: number; bytes: number; tail_bytes: number };
  logs: { generation: number; bytes: number }[];
  /** The manifest that holds. */
  generation: number;
  /** The one to fall back on. */
  previous_generation: number | null;
  format_version: number;
}

/** What a check of every byte found. */
export interface Verified {
  /** Whether nothing is damaged. */
  clean: boolean;
  /** What is not sound: up to 1,000 objects. */
  objects: VerifiedObject[];
  /** How many more there are. */
  more_objects: number;
  summary: {
    collections: number;
    bytes: number;
    ok: number;
    damaged: number;
    /** Those of them that can be made again from the documents. */
    derived_damaged: number;
    unfinished: number;
    unneeded: number;
    unknown: number;
  };
}

/** A file that is not sound. */
export interface VerifiedObject {
  /** Its path within the database. */
  object: string;
  collection: string | null;
  /** `unfinished` is what a crash leaves, `unneeded` what is to be removed, `unknown` what is none of ours. */
  state: 'damaged' | 'unfinished' | 'unneeded' | 'unknown';
  /** Whether it can be made again from the documents. */
  derived: boolean;
  bytes: number;
  findings: { offset: number | null; what: string }[];
  more_findings?: number;
}
