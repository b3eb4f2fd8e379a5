// The dialogs that are open. What is outside of the last one can be neither seen nor used: what is to be, goes inside.

import { untrack } from 'svelte';

class Modals {
  #open = $state.raw<readonly HTMLElement[]>([]);

  /** The one above all others; null when there is none. */
  get top(): HTMLElement | null {
    return this.#open.at(-1) ?? null;
  }

  /** For a dialog's `$effect`. */
  enter(dialog: HTMLElement): () => void {
    this.#open = [...untrack(() => this.#open), dialog];
    return () => {
      this.#open = untrack(() => this.#open).filter((one) => one !== dialog);
    };
  }
}

export const modals = new Modals();
