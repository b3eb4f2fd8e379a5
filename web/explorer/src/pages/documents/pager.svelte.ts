// Documents page by page, from the first on: as many as were scrolled to, and never all.

import { isCancelled } from '../../data/problem.js';
import type { Collection } from '../../data/types.js';
import { type Row, rowOf } from './rows.js';

/** Which documents: those that a filter lets through, or all; as they are, or were. */
export interface Wanted {
  filter: string;
  /** RFC 3339, or '' for now. */
  asOf: string;
}

const PAGE = 100;
/** How many rows are kept; who looks for more has a filter, or an id. */
export const ROWS_MAX = 20_000;

export class Pager {
  rows = $state.raw<readonly Row[]>([]);
  hasMore = $state(true);
  error = $state.raw<unknown>(null);
  isLoading = $state(false);
  readonly #collection: Collection;
  readonly #wanted: Wanted;
  readonly #ending = new AbortController();
  #cursor: string | null = null;

  constructor(collection: Collection, wanted: Wanted) {
    this.#collection = collection;
    this.#wanted = wanted;
  }

  /** Brings the next page, unless one is on its way. */
  async more(): Promise<void> {
    if (this.isLoading || !this.hasMore) return;
    this.isLoading = true;
    try {
      const rows = this.#wanted.filter.trim() === '' ? await this.#page() : await this.#found();
      this.rows = [...this.rows, ...rows];
      if (this.rows.length >= ROWS_MAX) this.hasMore = false;
      this.error = null;
    } catch (error) {
      if (isCancelled(error)) return;
      this.error = error;
      this.hasMore = false;
    } finally {
      this.isLoading = false;
    }
  }

  /** After a failure: goes on where it was. */
  async again(): Promise<void> {
    this.hasMore = true;
    await this.more();
  }

  end(): void {
    this.#ending.abort();
  }

  async #page(): Promise<Row[]> {
    const page = await this.#collection.page({ limit: PAGE, cursor: this.#cursor, ...this.#moment() }, { signal: this.#ending.signal });
    this.#cursor = page.next;
    this.hasMore = page.next !== null;
    return page.documents.map(rowOf);
  }

  async #found(): Promise<Row[]> {
    const request = { filter: this.#wanted.filter, k: PAGE, offset: this.rows.length, ...this.#moment() };
    const { hits } = await this.#collection.search(request, { signal: this.#ending.signal });
    this.hasMore = hits.length === PAGE;
    return hits.map(({ id, metadata, vector }) => rowOf({ id, metadata, vector: vector ?? null }));
  }

  #moment(): { as_of?: string } {
    return this.#wanted.asOf === '' ? {} : { as_of: this.#wanted.asOf };
  }
}
