// What the writer tells those who follow: each change of what is stored, in the order in which it was stored.

import type { Server } from '../rpc/server.js';
import type { Work } from '../wasm/module.js';

/** One change. */
export type Told =
  /** Frames for the end of a log. */
  | { kind: 'append'; storage: number; generation: number; bytes: Uint8Array }
  /** The storage has another manifest. */
  | { kind: 'flip'; storage: number; generation: number }
  /** The storage has gone. */
  | { kind: 'removeStorage'; storage: number }
  /** Something could not be told: all of it is to be read again. */
  | { kind: 'lost' };

/** Those who are told. What goes wrong with one of them concerns nobody else, and never what was stored. */
export class Followers {
  /** And whether each was told everything. */
  readonly #all = new Map<Pick<Server, 'tell'>, boolean>();

  add(server: Pick<Server, 'tell'>): void {
    this.#all.set(server, true);
  }

  delete(server: Pick<Server, 'tell'>): void {
    this.#all.delete(server);
  }

  /** Something was stored. */
  tell(work: readonly Work[]): void {
    if (this.#all.size === 0) return;
    const changes = told(work);
    if (changes.length === 0) return;
    for (const [server, isWhole] of [...this.#all]) {
      // A message of many bytes may find no memory, and a short one some.
      const isTold = isWhole && succeeds(() => server.tell(changes));
      this.#all.set(server, isTold || succeeds(() => server.tell([{ kind: 'lost' }])));
    }
  }
}

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

/** What of a batch that was stored changes what is read. */
export function told(work: readonly Work[]): Told[] {
  return work.flatMap((item): Told[] => {
    switch (item.kind) {
      case 'append':
      case 'removeStorage':
        return [item];
      case 'flip':
        return [{ kind: 'flip', storage: item.storage, generation: item.generation }];
      default:
        return [];
    }
  });
}
