// What can be done from the palette: the shell's commands, and those of the page that is shown.

/** One line of the palette. */
export interface Command {
  title: string;
  /** What it is about, at the end of its line. */
  hint?: string;
  run: () => void;
}

class Commands {
  #ofPage = $state.raw<readonly Command[]>([]);

  get ofPage(): readonly Command[] {
    return this.#ofPage;
  }

  /** For a page's `$effect`: offers commands while it is shown. */
  offer(commands: readonly Command[]): () => void {
    this.#ofPage = commands;
    return () => {
      if (this.#ofPage === commands) this.#ofPage = [];
    };
  }
}

export const commands = new Commands();
