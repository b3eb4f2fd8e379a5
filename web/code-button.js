// The button that takes a search elsewhere: into a terminal, or into a program.

import { byId } from './dom.js';
import { WAIT } from './settings.js';

/** `read()` is the search as code; `say(text)` to those who listen. */
export function makeCodeButton({ read, say }) {
  const [button, shown] = [byId('code'), byId('code-text')];
  button.addEventListener('click', async () => {
    const text = read();
    try {
      await navigator.clipboard.writeText(text);
      const before = button.textContent;
      button.textContent = 'Copied';
      say('Copied.');
      setTimeout(() => { button.textContent = before; }, WAIT.copied);
    } catch {
      // Without the right to the clipboard, the reader copies it.
      shown.textContent = text;
      shown.hidden = false;
      getSelection().selectAllChildren(shown);
    }
  });
  return {
    /** What it copies, in a word. */
    name: (kind) => { button.textContent = `Copy as ${kind}`; },
    /** The code of an earlier search is of no use. */
    reset: () => { shown.hidden = true; },
  };
}
