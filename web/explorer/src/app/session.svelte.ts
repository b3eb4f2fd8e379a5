// The database that is shown: opened from its source, with what its collections are and hold. One at a time: the one
// before is closed, so that another tab can have it.

import { isCancelled, isEnded } from '../data/problem.js';
import { type Source, deleteSource, openSource } from '../data/sources.js';
import { Turns } from '../data/turns.js';
import type { CollectionInfo, CollectionStats, Database } from '../data/types.js';
import { keepForOffline } from './worker.js';

/** How far it is. */
export type Phase = 'opening' | 'open' | 'failed';

/** A collection that cannot be opened, and why. */
export type Broken = Extract<CollectionStats, { error: unknown }>;

class Session {
  source = $state.raw<Source | null>(null);
  phase = $state<Phase>('opening');
  database = $state.raw<Database | null>(null);
  infos = $state.raw<readonly CollectionInfo[]>([]);
  broken = $state.raw<readonly Broken[]>([]);
  error = $state.raw<unknown>(null);
  /** How many databases of this browser were deleted here: whoever lists them looks again. */
  deletions = $state(0);
  #turn = 0;
  readonly #turns = new Turns<Database>();

  /** Opens a source in place of the one before. */
  async enter(source: Source): Promise<void> {
    const turn = ++this.#turn;
    this.database = null;
    this.source = source;
    this.phase = 'opening';
    this.infos = [];
    this.broken = [];
    this.error = null;
    // What is in this browser can be looked at without the server, too.
    if (source.kind === 'browser') void keepForOffline();
    try {
      const database = await this.#turns.open(source.id, () => openSource(source));
      if (turn !== this.#turn) return;
      this.database = database;
      await this.#read(database, turn);
      if (turn === this.#turn) this.phase = 'open';
    } catch (error) {
      if (turn !== this.#turn) return;
      this.error = error;
      this.phase = 'failed';
    }
  }

  /** Opens the same again: after a token was entered, or a server has come back. */
  async again(): Promise<void> {
    if (this.source) await this.enter(this.source);
  }

  /** Reads anew what the collections are and hold; what has ended is opened again. */
  async refresh(): Promise<void> {
    const { database } = this;
    if (!database) return;
    try {
      await this.#read(database, this.#turn);
    } catch (error) {
      if (isEnded(error)) return this.again();
      if (!isCancelled(error)) throw error;
    }
  }

  async #read(database: Database, turn: number): Promise<void> {
    const infos = await database.collections();
    if (turn !== this.#turn) return;
    this.infos = infos;
  }

  /** What is damaged is told by what lists figures. */
  noteBroken(stats: readonly CollectionStats[]): void {
    this.broken = stats.filter((one): one is Broken => 'error' in one);
  }

  /** Resolves once the page has closed what it showed of a source before. */
  left(source: Source): Promise<void> {
    return this.#turns.ended(source.id);
  }

  /**
   * Deletes a database of this browser, for good. Where it is shown it is closed first, and opened again when it was not deleted:
   * another tab may have it.
   */
  async remove(source: Source): Promise<void> {
    const isShown = this.source?.id === source.id;
    if (isShown) {
      this.#turn += 1;
      this.database = null;
      this.phase = 'opening';
      this.#turns.leave();
    }
    try {
      await this.left(source);
      await deleteSource(source);
      this.deletions += 1;
    } catch (error) {
      // Another one may have been chosen meanwhile.
      if (isShown && this.source?.id === source.id) void this.again();
      throw error;
    }
  }

  /** For the end of the page: lets go of the database at once. */
  leave(): void {
    this.#turns.leave();
  }
}

export const session = new Session();

// A tab that is closed lets go at once.
addEventListener('pagehide', () => session.leave());
addEventListener('pageshow', (event) => {
  if (event.persisted) void session.again();
});
