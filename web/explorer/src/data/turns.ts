// One thing open at a time, each with a place: what was opened at a place is closed before that place is opened again. A
// database of the browser can be open once; one that was given up while it was being opened holds its place like any other.

/** What can be closed. */
export interface Closable {
  close(): Promise<void>;
}

/** The thing that is open, or being opened. */
export class Turns<T extends Closable> {
  #now: { place: string; opening: Promise<T> } | null = null;
  /** By place, what ends once all that was opened there is closed. */
  readonly #ending = new Map<string, Promise<void>>();

  /** Opens something in place of what was open before. */
  open(place: string, open: () => Promise<T>): Promise<T> {
    this.leave();
    const opening = this.ended(place).then(open);
    this.#now = { place, opening };
    return opening;
  }

  /** Resolves once what was left at a place is closed. */
  ended(place: string): Promise<void> {
    return this.#ending.get(place) ?? Promise.resolve();
  }

  /** Closes what is open; what is still being opened is closed as soon as it is open. */
  leave(): void {
    if (!this.#now) return;
    const { place, opening } = this.#now;
    this.#now = null;
    const ended = opening.then((opened) => opened.close()).catch(() => {}); // Whoever opened it is told why it could not be.
    this.#ending.set(place, ended);
    void ended.then(() => {
      if (this.#ending.get(place) === ended) this.#ending.delete(place);
    });
  }
}
