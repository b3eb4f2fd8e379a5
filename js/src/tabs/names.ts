// What tabs that share a database call things by, and say to each other on the channel that all of them hear.

import { PREFIX } from '../wasm/indexeddb.js';

/** What tabs say to all others, each with the version that it speaks: tabs of another one are not understood. */
export type Said =
  /** A tab looks for the writer. */
  | { version: number; hello: string }
  /** A tab is going to be the writer; it opens the database. `silent`: the last one said nothing, and need not be waited for. */
  | { version: number; opening: string; silent?: boolean }
  /** The writer of this epoch answers; `to` names the tab for which it has made a link. */
  | { version: number; writer: number; to?: string };

/** How long a writer may say nothing while it is asked: so many looks, each so many milliseconds after the last one. */
export interface Patience {
  ms: number;
  looks: number;
}

/** How long that is. */
export function longest({ ms, looks }: Patience): number {
  return ms * looks;
}

/** Ten seconds: longer than a writer computes without a pause, and each look finds a message that was under way. */
export const PATIENCE: Patience = { ms: 2000, looks: 5 };

/** The names of one database: of locks and channels. */
export class Names {
  readonly #base: string;

  constructor(name: string) {
    this.#base = PREFIX + name;
  }

  /** The channel that all tabs hear. */
  get all(): string {
    return `${this.#base}:tabs`;
  }

  /** Held by the writer. */
  get writer(): string {
    return `${this.#base}:writer`;
  }

  /** Held by the writer of an epoch for as long as it may answer what it was asked, also when another one is the writer. */
  answers(epoch: number): string {
    return `${this.#base}:answers:${epoch}`;
  }

  /** Held by who takes the writer's lock away. */
  get takeover(): string {
    return `${this.#base}:takeover`;
  }

  /** Held by a tab for as long as it has the database open. */
  tab(id: string): string {
    return `${this.#base}:tab:${id}`;
  }

  /** The channel between the writer of an epoch and a tab. */
  link(epoch: number, tab: string): string {
    return `${this.#base}:link:${epoch}:${tab}`;
  }
}
