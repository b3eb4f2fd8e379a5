// A database that several tabs share: one is the writer and has it open, the others ask it over messages.
//
// Who holds the writer's lock is the writer; the others wait for it in the browser's queue, so that one of them gets it
// when the writer goes, however it goes. One that says nothing while it is asked has it taken away. That is a guess, and may be
// wrong; the epoch in the store keeps a writer that comes back from storing anything.

import type { BackendDatabase, Call } from '../engine/backend.js';
import { pause } from '../engine/pause.js';
import { KithError, cancelled } from '../errors.js';
import { type Asked, AskedDatabase, isRepeatable } from '../rpc/verbs.js';
import { VERSION } from '../rpc/version.js';
import { closed, storageUnavailable } from '../wasm/errors.js';
import { type Hold, hold, takeLock } from '../wasm/locks.js';
import type { Work } from '../wasm/module.js';
import type { Release } from '../wasm/store.js';
import { cannotShare, otherVersion, outcomeUnknown } from './errors.js';
import { Names, PATIENCE, type Patience, type Said, longest } from './names.js';
import type { ReplicaParts } from './replica.js';
import { Follower, type Role, Writer, isFenced } from './roles.js';

/** What a writer opens. */
export interface Opened {
  database: BackendDatabase;
  epoch: number;
  /** Leaves it to another one, at once. */
  abandon: () => void;
  /** Has `stored` told of what is stored from here on. */
  heed: (stored: (work: readonly Work[]) => void) => void;
}

/**
 * Opens a database together with other tabs. `open` is called whenever this one becomes the writer; with `parts` it makes a copy
 * while another one is.
 */
export async function openShared(
  name: string,
  open: () => Promise<Opened>,
  parts: ReplicaParts,
  patience: Patience = PATIENCE,
): Promise<BackendDatabase> {
  if (!globalThis.navigator?.locks || typeof BroadcastChannel === 'undefined') throw cannotShare();
  const leave = await takeLock(name, 'shared');
  const tab = new Tab(new Names(name), open, parts, patience, leave);
  await tab.join();
  return new AskedDatabase((asked, call) => tab.ask(asked, call), () => tab.close());
}

interface Waiting {
  go: (role: Role) => void;
  fail: (error: unknown) => void;
}

/** This tab, from opening the database to closing it. */
class Tab {
  readonly #id = crypto.randomUUID();
  readonly #names: Names;
  readonly #open: () => Promise<Opened>;
  readonly #parts: ReplicaParts;
  readonly #patience: Patience;
  readonly #leave: Release;
  readonly #channel: BroadcastChannel;
  #role: Role | undefined;
  /** Those of before that may still be answered. */
  readonly #retiring = new Set<Follower>();
  #waiting: Waiting[] = [];
  /** What was asked and is not answered yet. */
  readonly #asked = new Set<Promise<unknown>>();
  /** The changes that wait for what the last writer refuses, one behind the other, and how many they are. */
  #turn: Promise<void> = Promise.resolve();
  #turns = 0;
  /** The largest epoch of a writer that was heard of. */
  #epoch = 0;
  /** Why nothing is asked any more. */
  #closed: KithError | undefined;
  #closing: Promise<void> | undefined;
  /** Why the database could not be closed well. */
  #failure: unknown;
  /** Resolves when nothing is asked any more. */
  readonly #ended: Promise<void>;
  #end!: () => void;
  /** By this lock the writer sees that this tab is there. */
  #here: Hold | undefined;
  /** This tab's place in the queue for the writer's lock. */
  #queueing = new AbortController();
  #isTakingOver = false;
  /** Has this tab not take over any more. */
  #giveUp = (): void => {};
  /** How often another tab was about to take over when this one wanted to, since it last had a role. */
  #forestalled = 0;
  /** Whether this tab holds the writer's lock. */
  #isElected = false;
  /** Whether it opens the database. */
  #isOpening = false;
  /** Resolves when the writer that this tab was has told everybody who asked by it. */
  #leaving: Promise<void> | undefined;
  #standing: Promise<void> | undefined;
  /** Resolves when the page is not frozen. */
  #awake = Promise.resolve();
  #wake = (): void => {};
  /** Has this tab be the writer no more, before the call returns. */
  #resign = (): void => {};
  #looking: ReturnType<typeof setInterval> | undefined;
  /** Looks since the writer was heard. */
  #unheard = 0;
  /** How often it was heard. */
  #signs = 0;

  constructor(names: Names, open: () => Promise<Opened>, parts: ReplicaParts, patience: Patience, leave: Release) {
    this.#names = names;
    this.#open = open;
    this.#parts = parts;
    this.#patience = patience;
    this.#leave = leave;
    this.#ended = new Promise((end) => (this.#end = end));
    this.#channel = new BroadcastChannel(names.all);
    this.#channel.onmessage = ({ data }) => this.#hear(data as Said);
    globalThis.document?.addEventListener('freeze', this.#onFreeze);
    globalThis.document?.addEventListener('resume', this.#onResume);
  }

  /** Resolves when there is a writer: this tab, or one that has answered it. */
  async join(): Promise<void> {
    this.#standing = this.#stand();
    try {
      await this.#nextRole();
    } catch (error) {
      await this.#standing;
      // Why it could not be opened, not that it is closed.
      throw (error as KithError).cause ?? error;
    }
  }

  /** Asks whoever is the writer, and the next one when that goes. */
  ask(asked: Asked, call?: Call): Promise<unknown> {
    const answer = this.#ask(asked, call);
    this.#asked.add(answer);
    const settled = (): void => void this.#asked.delete(answer);
    answer.then(settled, settled);
    return answer;
  }

  async #ask(asked: Asked, call?: Call): Promise<unknown> {
    if (!isRepeatable(asked) && this.#isBetweenWriters) await this.#inTurn();
    for (;;) {
      const role = this.#role ?? (await this.#nextRole());
      if (call?.signal?.aborted) throw cancelled('the call', call.signal.reason);
      try {
        const answer = role.ask(asked, call);
        if (role instanceof Follower) this.#look();
        return await answer;
      } catch (error) {
        const fate = role.fateOf(error);
        if (fate === 'answered') throw error;
        if (fate === 'unknown' && !isRepeatable(asked)) throw outcomeUnknown(asked);
        this.#gone(role);
      }
    }
  }

  /** Whether something that was asked may still be asked again. */
  get #isBetweenWriters(): boolean {
    return this.#retiring.size > 0 || this.#leaving !== undefined || this.#turns > 0;
  }

  /** What the last writer refuses is asked again before what was asked after it, and that in its order. */
  async #inTurn(): Promise<void> {
    this.#turns += 1;
    this.#turn = this.#turn.then(() => this.#answeredByAll());
    await this.#turn;
    this.#turns -= 1;
  }

  /** Resolves when no writer of before has anything to answer; another one may become such a one meanwhile. */
  async #answeredByAll(): Promise<void> {
    do {
      await Promise.all([this.#leaving, ...[...this.#retiring].map((follower) => follower.idle())]);
      await pause();
    } while (this.#leaving !== undefined || [...this.#retiring].some(({ isWaiting }) => isWaiting));
  }

  /** Lets go of the database; as the writer after everything was made durable, else after everything was answered. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // What the writer has begun is answered as it closes; what others were asked is waited for, wherever that ends.
    if (!(this.#role instanceof Writer) || this.#isBetweenWriters) {
      // The writer goes on: what has been stored is made durable.
      if (this.#role instanceof Follower) this.ask({ verb: 'flush', args: [] }).catch(() => {});
      await Promise.allSettled(this.#asked);
    }
    this.#shut(closed('database'));
    await this.#standing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Nothing is asked any more; who waits for a writer fails. */
  #shut(why: KithError): void {
    this.#closed ??= why;
    const role = this.#role;
    this.#role = undefined;
    for (const follower of [role, ...this.#retiring]) if (follower instanceof Follower) follower.end();
    for (const { fail } of this.#waiting.splice(0)) fail(this.#closed);
    this.#queueing.abort();
    this.#wake();
    this.#end();
  }

  /** Nothing of this page runs after this turn: it leaves the database to another tab, and the queue, too. */
  readonly #onFreeze = (): void => {
    this.#wake();
    this.#awake = new Promise((wake) => (this.#wake = wake));
    this.#queueing.abort();
    this.#giveUp();
    this.#resign();
  };

  readonly #onResume = (): void => this.#wake();

  /** Stands for being the writer, again and again, until the end. */
  async #stand(): Promise<void> {
    try {
      this.#here = await hold(this.#names.tab(this.#id), {});
      this.#sayHello();
      while (!this.#closed) {
        const office = await this.#elected();
        if (office) await this.#serve(office);
      }
    } catch (error) {
      this.#shut(closed('database', storageUnavailable(error)));
    } finally {
      clearInterval(this.#looking);
      globalThis.document?.removeEventListener('freeze', this.#onFreeze);
      globalThis.document?.removeEventListener('resume', this.#onResume);
      this.#channel.close();
      await this.#here?.release();
      await this.#leave();
    }
  }

  /** The writer's lock; undefined when it is not waited for any more. */
  async #elected(): Promise<Hold | undefined> {
    await this.#awake;
    if (this.#closed) return undefined;
    this.#queueing = new AbortController();
    const { signal } = this.#queueing;
    if (this.#isTakingOver) return hold(this.#names.writer, { steal: true });
    return hold(this.#names.writer, { signal }).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
  }

  /** Opens the database and is the writer. */
  async #serve(office: Hold): Promise<void> {
    const silent = this.#isTakingOver;
    let isLost = false;
    const lose = (): void => {
      isLost = true;
      this.#isOpening = false;
    };
    this.#resign = () => {
      lose();
      office.release();
    };
    void office.stolen.then(lose);
    // A page that was stopped may find that it is not any more, before it is told so.
    const isHeld = async (): Promise<boolean> => !isLost && (await this.#isHolder()) && !isLost;
    try {
      if (!(await isHeld()) || this.#closed) return;
      this.#isElected = true;
      this.#isOpening = true;
      if (this.#role) this.#gone(this.#role);
      this.#say({ version: VERSION, opening: this.#id, silent });
      const { database, epoch, abandon, heed } = await this.#open();
      const writer = await Writer.of(database, this.#names, epoch).catch(async (error: unknown) => {
        await database.close();
        throw error;
      });
      // Nobody was told of this one, which may have raised the epoch after that of the next one was raised.
      if (!(await isHeld())) return await writer.close().catch(() => {});
      heed((work) => writer.tell(work));
      const resigned = new Promise<void>((resign) => {
        this.#resign = () => {
          writer.leave();
          abandon();
          office.release();
          resign();
        };
      });
      await this.#write(writer, Promise.race([office.stolen, resigned]));
    } catch (error) {
      // Another one may have been quicker, or what a page was at when it stopped have been broken off.
      if (!isFenced(error) && (await isHeld())) this.#shut(closed('database', error as KithError));
    } finally {
      this.#isElected = false;
      this.#isOpening = false;
      // Who has followed a silent one must not take the place of who has followed this one.
      this.#giveUp();
      this.#isTakingOver = false;
      this.#resign = () => {};
      await office.release();
      // While it was elected it heard nobody.
      if (!this.#role) this.#sayHello();
    }
  }

  /** Is the writer until that ends, or `lost` says that another one is. */
  async #write(writer: Writer, lost: Promise<void>): Promise<void> {
    this.#epoch = Math.max(this.#epoch, writer.epoch);
    this.#isOpening = false;
    if (!this.#closed) {
      this.#take(writer);
      this.#say({ version: VERSION, writer: writer.epoch });
    }
    const why = await Promise.race([writer.ended, lost, this.#ended]);
    this.#gone(writer);
    // Its store was taken away, or what is in it kills the engine: the next tab may fare better.
    if (why && !isFenced(why)) this.#shut(closed('database', why));
    const leaving = writer.close().catch((error: unknown) => {
      // What a later writer has fenced off was told to those who asked for it.
      if (!isFenced(error)) this.#failure = error;
    });
    this.#leaving = leaving;
    await leaving;
    this.#leaving = undefined;
  }

  /** Whether this tab still holds the writer's lock. */
  async #isHolder(): Promise<boolean> {
    const { held = [] } = await navigator.locks.query();
    const clientOf = (name: string) => held.find((lock) => lock.name === name)?.clientId;
    return clientOf(this.#names.writer) === clientOf(this.#names.tab(this.#id));
  }

  #say(message: Said): void {
    if (!this.#closed) this.#channel.postMessage(message);
  }

  /** Looks for the writer, which is to find this tab. */
  #sayHello(): void {
    if (this.#here) this.#say({ version: VERSION, hello: this.#id });
  }

  #hear(said: Said): void {
    if (this.#closed) return;
    if ('hello' in said) this.#greet(said.hello, said.version);
    else if (this.#isElected) return;
    else if (said.version !== VERSION) this.#shut(closed('database', otherVersion(said.version)));
    else if ('opening' in said) this.#hearOpening(said.silent);
    else this.#follow(said.writer, said.to);
  }

  /** Another tab looks for the writer; one of another version is only told of this one's. */
  async #greet(follower: string, version: number): Promise<void> {
    // A frozen page still hears channels, and does nothing else: it must not be found.
    await pause();
    if (this.#role instanceof Writer) {
      if (version === VERSION) this.#role.admit(follower);
      this.#say({ version: VERSION, writer: this.#role.epoch, to: follower });
    } else if (this.#isOpening) {
      this.#say({ version: VERSION, opening: this.#id });
    }
  }

  /** Another tab will be the writer: the last one is not, any more. */
  #hearOpening(silent = false): void {
    this.#heard();
    this.#isTakingOver = false;
    if (this.#role) this.#gone(this.#role, silent);
    this.#look();
  }

  /** Another tab is the writer, of this epoch. */
  #follow(epoch: number, to: string | undefined): void {
    // One of before has not learnt yet that it was followed by another.
    if (epoch < this.#epoch) return;
    this.#epoch = epoch;
    this.#heard();
    if (this.#role instanceof Follower && this.#role.epoch === epoch) return;
    if (this.#role) this.#gone(this.#role);
    if (to !== this.#id) return this.#sayHello();
    const follower: Follower = new Follower(this.#names, epoch, this.#id, this.#parts, () => {
      if (this.#role === follower) this.#heard();
    });
    this.#take(follower);
  }

  /** The writer has shown that it is there, or one that is about to be. */
  #heard(): void {
    this.#unheard = 0;
    this.#signs += 1;
  }

  #take(role: Role): void {
    this.#role = role;
    this.#forestalled = 0;
    this.#heard();
    for (const { go } of this.#waiting.splice(0)) go(role);
  }

  /** A role has ended: who asked by it is answered or told, and who asks from now on waits for the next one. */
  #gone(role: Role, silent = false): void {
    if (this.#role === role) this.#role = undefined;
    if (!(role instanceof Follower)) return;
    if (silent) return role.end();
    if (this.#retiring.has(role)) return;
    this.#retiring.add(role);
    role.retire(longest(this.#patience)).finally(() => this.#retiring.delete(role));
  }

  #nextRole(): Promise<Role> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.#role) return Promise.resolve(this.#role);
    this.#look();
    return new Promise((go, fail) => this.#waiting.push({ go, fail }));
  }

  /** Looks after the writer for as long as anybody waits for it. */
  #look(): void {
    this.#looking ??= setInterval(() => this.#lookOnce(), this.#patience.ms);
  }

  #lookOnce(): void {
    const role = this.#role;
    const isWaited = role instanceof Follower ? role.isWaiting : role === undefined;
    if (!isWaited || this.#closed) {
      clearInterval(this.#looking);
      this.#looking = undefined;
      this.#unheard = 0;
    } else if (this.#isElected) {
      // It opens the database or closes it; in the end this tab is the writer, or looks on.
      this.#unheard = 0;
    } else if (this.#unheard >= this.#patience.looks * 2 ** this.#forestalled) {
      this.#unheard = 0;
      this.#takeOver();
    } else {
      this.#unheard += 1;
      if (role instanceof Follower) role.ping();
      else this.#sayHello();
    }
  }

  /** Takes the lock away from a writer that says nothing, unless another tab is about to; one that says nothing itself is not. */
  async #takeOver(): Promise<void> {
    const signs = this.#signs;
    const options = this.#forestalled > 0 ? { steal: true } : { ifAvailable: true };
    const only = await hold(this.#names.takeover, options).catch(() => undefined);
    if (signs !== this.#signs || this.#isElected || this.#closed) return only?.release();
    // Each is waited for twice as long as the last one: large databases take a while to open.
    if (!only || this.#forestalled > 0) this.#forestalled += 1;
    if (!only) return;
    try {
      this.#isTakingOver = true;
      if (this.#role) this.#gone(this.#role, true);
      this.#queueing.abort();
      const givenUp = new Promise<void>((giveUp) => (this.#giveUp = giveUp));
      // Who hears of it in time need not take it over again.
      await Promise.race([this.#nextRole().catch(() => {}), this.#ended, givenUp]);
    } finally {
      this.#isTakingOver = false;
      await only.release();
    }
  }
}
