// Short notices at the edge of the page: what was done, and what failed that has no place of its own.

import { type Problem, failed, isCancelled, problemOf } from '../data/problem.js';

/** One notice. */
export interface Notice {
  id: number;
  kind: 'done' | 'failed';
  text: string;
  problem: Problem | null;
}

/** What was done goes by itself after so many ms; what failed stays until it is dismissed. */
const DONE_MS = 5000;
const NOTICES_MAX = 4;

class Notices {
  #all = $state.raw<readonly Notice[]>([]);
  #last = 0;

  get all(): readonly Notice[] {
    return this.#all;
  }

  /** Tells that something was done. */
  done(text: string): void {
    const id = this.#add({ kind: 'done', text, problem: null });
    setTimeout(() => this.dismiss(id), DONE_MS);
  }

  /** Tells that something failed; `what` is the sentence's begin, such as "The document was not stored". */
  failed(what: string, error: unknown): void {
    if (isCancelled(error)) return;
    const problem = problemOf(error);
    this.#add({ kind: 'failed', text: failed(what, problem), problem });
  }

  dismiss(id: number): void {
    this.#all = this.#all.filter((notice) => notice.id !== id);
  }

  #add(notice: Omit<Notice, 'id'>): number {
    const id = ++this.#last;
    this.#all = [...this.#all, { id, ...notice }].slice(-NOTICES_MAX);
    return id;
  }
}

export const notices = new Notices();
