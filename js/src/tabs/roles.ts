// What a tab is to a shared database: the writer, which has it open and answers the others, or a follower of one.

import { type BackendDatabase, type Call, wait } from '../engine/backend.js';
import { pause } from '../engine/pause.js';
import { KithError } from '../errors.js';
import { Client } from '../rpc/client.js';
import { channelLink } from '../rpc/link.js';
import { Server } from '../rpc/server.js';
import { type Asked, Doer } from '../rpc/verbs.js';
import { closed } from '../wasm/errors.js';
import { hold } from '../wasm/locks.js';
import type { Names } from './names.js';

/** For how long a writer that was closed refuses what comes: longer than it takes another tab to open the database. */
const LINGER_MS = 10_000;

/** What became of a call that failed. */
export type Fate =
  /** It was refused: that is its answer. */
  | 'answered'
  /** Whoever was asked is not the writer any more, and has not done it. */
  | 'undone'
  /** The same, and it may have been done. */
  | 'unknown';

/** How a tab reaches the database. */
export interface Role {
  ask(asked: Asked, call?: Call): Promise<unknown>;
  fateOf(error: unknown): Fate;
}

/** The tab that has the database open. */
export class Writer implements Role {
  /** Resolves with what ended it, when that was not `close`: another writer, or the end of its store. */
  readonly ended: Promise<KithError>;
  /** Its number: a later writer has a larger one. */
  readonly epoch: number;
  readonly #database: BackendDatabase;
  readonly #doer: Doer;
  readonly #names: Names;
  /** The end of the link to each follower, and what drops it. */
  readonly #links = new Map<string, { server: Server; drop: () => void }>();
  #end!: (why: KithError) => void;

  constructor(database: BackendDatabase, names: Names, epoch: number) {
    this.#database = database;
    this.#doer = new Doer(database);
    this.#names = names;
    this.epoch = epoch;
    this.ended = new Promise((end) => (this.#end = end));
  }

  async ask(asked: Asked, call?: Call): Promise<unknown> {
    try {
      return await wait(() => this.#doer.do(asked, call));
    } catch (error) {
      if (isOver(error)) this.#end(error as KithError);
      throw error;
    }
  }

  /** A closed database refuses before it does anything, and what a later writer keeps from being stored is not done. */
  fateOf(error: unknown): Fate {
    return isOver(error) ? 'undone' : 'answered';
  }

  /** Makes a link to a follower, for as long as that is there. */
  admit(follower: string): void {
    if (this.#links.has(follower)) return;
    const link = channelLink(this.#names.link(this.epoch, follower));
    const server = new Server(link, (asked, call) => this.ask(asked, call));
    const watching = new AbortController();
    const drop = (): void => {
      watching.abort();
      server.close();
      this.#links.delete(follower);
    };
    this.#links.set(follower, { server, drop });
    // Its lock is to be had when it has gone.
    hold(this.#names.tab(follower), { signal: watching.signal }).then((gone) => {
      drop();
      return gone?.release();
    }, () => {});
  }

  /** Followers ask another one from here on: what was not begun is not done. A frozen page can still say so. */
  refuse(): void {
    for (const { server } of this.#links.values()) server.refuse(closed('database'));
  }

  /** Closes the database; whoever waits is answered before. */
  async close(): Promise<void> {
    try {
      await this.#database.close();
      // What it has just refused is on its way to those who asked.
      await pause();
    } finally {
      // Who has not heard of the next writer yet still asks this one, and is told that nothing was done.
      this.refuse();
      setTimeout(() => {
        for (const { drop } of [...this.#links.values()]) drop();
      }, LINGER_MS);
    }
  }
}

/** The database is closed, or another writer has it. */
function isOver(error: unknown): boolean {
  return error instanceof KithError && (error.code === 'database_locked' || error.code === 'closed');
}

/** Whether a later writer was why. */
export function isFenced(error: unknown): boolean {
  if (!(error instanceof KithError)) return false;
  return error.code === 'database_locked' || (error.code === 'closed' && isFenced(error.cause));
}

/** What followers of a writer that has gone fail with. It is told to nobody. */
class Gone extends Error {}

/** A tab that asks the writer. */
export class Follower implements Role {
  /** That of its writer. */
  readonly epoch: number;
  readonly #client: Client;

  /** Of a writer that has made its end of the link. */
  constructor(names: Names, epoch: number, id: string, heard: () => void) {
    this.epoch = epoch;
    this.#client = new Client(channelLink(names.link(epoch, id)), heard);
  }

  ask(asked: Asked, call?: Call): Promise<unknown> {
    return this.#client.ask(asked, call);
  }

  fateOf(error: unknown): Fate {
    if (error instanceof Gone) return 'unknown';
    return isOver(error) ? 'undone' : 'answered';
  }

  get isWaiting(): boolean {
    return this.#client.isWaiting;
  }

  ping(): void {
    this.#client.ping();
  }

  /** Resolves when the writer has answered everything. */
  idle(): Promise<void> {
    return this.#client.idle();
  }

  /** The writer is not the writer any more. */
  end(): void {
    this.#client.end(new Gone());
  }
}
