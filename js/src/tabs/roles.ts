// What a tab is to a shared database: the writer, which has it open and answers the others, or a follower of one.

import { type BackendDatabase, type Call, wait } from '../engine/backend.js';
import { pause } from '../engine/pause.js';
import { KithError } from '../errors.js';
import { Client } from '../rpc/client.js';
import { channelLink } from '../rpc/link.js';
import { Server } from '../rpc/server.js';
import { type Asked, Doer, isChange } from '../rpc/verbs.js';
import { closed } from '../wasm/errors.js';
import type { Work } from '../wasm/module.js';
import { type Hold, hold } from '../wasm/locks.js';
import type { Names } from './names.js';
import { Replica, type ReplicaParts } from './replica.js';
import { Followers } from './told.js';

/** For how long a writer that was closed refuses what comes: longer than it takes another tab to open the database. */
const LINGER_MS = 10_000;

/** For how long a follower of a writer that has gone waits for messages that were under way. */
const UNDER_WAY_MS = 100;

/** The verb by which a follower asks to be told what is stored, or not any more. */
const FOLLOW = 'follow';

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
  /** Held for as long as followers wait for this one's answers. */
  readonly #answers: Hold | undefined;
  /** The end of the link to each follower, and what drops it. */
  readonly #links = new Map<string, { server: Server; drop: () => void }>();
  /** Those that are told what is stored. */
  readonly #following = new Followers();
  #end!: (why: KithError) => void;

  private constructor(database: BackendDatabase, names: Names, epoch: number, answers: Hold | undefined) {
    this.#database = database;
    this.#doer = new Doer(database);
    this.#names = names;
    this.#answers = answers;
    this.epoch = epoch;
    this.ended = new Promise((end) => (this.#end = end));
  }

  static async of(database: BackendDatabase, names: Names, epoch: number): Promise<Writer> {
    return new Writer(database, names, epoch, await hold(names.answers(epoch), { ifAvailable: true }));
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
    const server: Server = new Server(link, async (asked, call) => {
      if (asked.verb !== FOLLOW) return this.ask(asked, call);
      if (asked.args[0] === true) this.#following.add(server);
      else this.#following.delete(server);
      return undefined;
    });
    const watching = new AbortController();
    const drop = (): void => {
      watching.abort();
      server.close();
      this.#following.delete(server);
      this.#links.delete(follower);
    };
    this.#links.set(follower, { server, drop });
    // Its lock is to be had when it has gone.
    hold(this.#names.tab(follower), { signal: watching.signal }).then((gone) => {
      drop();
      return gone?.release();
    }, () => {});
  }

  /** Something was stored: who follows is told before whoever waits for it is answered. */
  tell(work: readonly Work[]): void {
    this.#following.tell(work);
  }

  /** Followers ask another one from here on: what was not begun is not done. */
  #refuse(): void {
    for (const { server } of this.#links.values()) server.refuse(closed('database'));
  }

  /** Refuses what was not begun, and answers nothing else. A frozen page can still do so. */
  leave(): void {
    this.#refuse();
    this.#answers?.release();
  }

  /** Closes the database; whoever waits is answered before. */
  async close(): Promise<void> {
    try {
      await this.#database.close();
      // What it has just refused is on its way to those who asked.
      await pause();
    } finally {
      // Who has not heard of the next writer yet still asks this one, and is told that nothing was done.
      this.#refuse();
      setTimeout(() => {
        for (const { drop } of [...this.#links.values()]) drop();
        this.#answers?.release();
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

function after(ms: number): Promise<void> {
  return new Promise((go) => setTimeout(go, ms));
}

/** What followers of a writer that has gone fail with. It is told to nobody. */
class Gone extends Error {}

/** A tab that asks the writer, and reads for itself once it has a copy of what is stored. */
export class Follower implements Role {
  /** That of its writer. */
  readonly epoch: number;
  readonly #names: Names;
  readonly #client: Client;
  readonly #replica: Replica;
  /** Changes of this tab that were not answered. */
  #changing = 0;

  /** Of a writer that has made its end of the link. */
  constructor(names: Names, epoch: number, id: string, parts: ReplicaParts, heard: () => void) {
    this.epoch = epoch;
    this.#names = names;
    this.#client = new Client(channelLink(names.link(epoch, id)), heard, (changes) => this.#replica.take(changes));
    this.#replica = new Replica(parts, epoch, (isOn) => this.#client.ask({ verb: FOLLOW, args: [isOn] }));
  }

  async ask(asked: Asked, call?: Call): Promise<unknown> {
    if (isChange(asked)) return this.#change(asked, call);
    // What this tab has asked to be changed is done before what it reads after that.
    const answer = this.#changing === 0 ? this.#replica.read(asked) : undefined;
    return answer ? answer.value : this.#client.ask(asked, call);
  }

  async #change(asked: Asked, call?: Call): Promise<unknown> {
    this.#changing += 1;
    try {
      // By the time of the answer it was told what was stored.
      return await this.#client.ask(asked, call);
    } finally {
      this.#changing -= 1;
    }
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

  /**
   * The writer is not the writer any more. It may still answer what it was asked, above all that it has not done it: that is
   * waited for, until it has gone or says nothing for so long.
   */
  async retire(patience: number): Promise<void> {
    this.#replica.end();
    if (this.isWaiting) {
      const watching = new AbortController();
      const { signal } = watching;
      const gone = hold(this.#names.answers(this.epoch), { mode: 'shared', signal });
      const messages = gone.then(async (held) => {
        await held?.release();
        await after(UNDER_WAY_MS);
      }, () => after(patience));
      await Promise.race([this.idle(), messages, after(patience)]);
      watching.abort();
    }
    this.end();
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#replica.end();
    this.#client.end(new Gone());
  }
}
