// What the writer tells those who follow: each change of what is stored, in the order in which it was stored.

import type { Work } from '../wasm/module.js';

/** One change. */
export type Told =
  /** Frames for the end of a log. */
  | { kind: 'append'; storage: number; generation: number; bytes: Uint8Array }
  /** The storage has another manifest. */
  | { kind: 'flip'; storage: number; generation: number }
  /** The storage has gone. */
  | { kind: 'removeStorage'; storage: number };

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
