// A directory that is only looked at, through the addon: what `kithdb stats` and `kithdb verify` print.

import { call, wait } from '../engine/backend.js';
import type { CollectionStats, Verified, VerifiedObject } from '../types.js';
import { addon } from './addon.js';

/** What the addon's class does. */
export interface NativeInspection {
  stats(): Promise<string>;
  verify(): Promise<string>;
  progress(): [done: number, total: number];
}

/** What was odd: a level and a message each. */
export type Odd = [level: string, message: string][];

/** What the collections of a directory hold and take. */
export interface InspectedStats {
  answer: { collections: CollectionStats[] };
  /** All kinds of blobs, in their order. */
  kinds: string[];
  odd: Odd;
}

/** What a check of a directory found: every object, those that are sound included. */
export interface InspectedBytes {
  answer: {
    clean: boolean;
    objects: (Omit<VerifiedObject, 'state'> & { state: VerifiedObject['state'] | 'ok' })[];
    /** Names in the directory that are none of ours. */
    strangers: string[];
    summary: Verified['summary'];
  };
}

/** A directory that nobody writes to while it is looked at. */
export class Inspection {
  readonly #native: NativeInspection;

  private constructor(native: NativeInspection) {
    this.#native = native;
  }

  static async open(path: string): Promise<Inspection> {
    return new Inspection(await wait(() => addon().NativeInspection.open(path)));
  }

  async stats(): Promise<InspectedStats> {
    return JSON.parse(await wait(() => this.#native.stats())) as InspectedStats;
  }

  async verify(): Promise<InspectedBytes> {
    return JSON.parse(await wait(() => this.#native.verify())) as InspectedBytes;
  }

  /** How many objects are checked, and of how many. */
  progress(): [done: number, total: number] {
    return call(() => this.#native.progress());
  }
}
