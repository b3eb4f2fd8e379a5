// What a reader can do with the collections of this tab: bring one from the server, remove one. Shown only while the
// tab is where is searched.

import { make } from './dom.js';
import { makeCopyForm } from './copy-form.js';
import { makeProgress } from './copy-progress.js';
import * as notices from './notices.js';
import { makeTabLine } from './tab-line.js';

const button = (text, click) => make('button', { type: 'button', on: { click } }, text);

/**
 * Draws into `place`. `onChange(name)`: the collections of the tab are others now, `name` the one that came or null;
 * `say(text)` to those who listen.
 */
export function makeTabPanel(place, { onChange, say }) {
  const line = makeTabLine(place);
  const actions = make('div', { className: 'tab-actions' });
  const body = make('div', { className: 'tab-body' });
  place.append(make('div', { className: 'tab-line' }, line.element, actions), body);
  const panel = new Panel({ place, line, actions, body, onChange, say });
  return {
    /** The tab is where is searched from now on. */
    open: (database) => panel.open(database),
    /** Its collections and the one that is searched. Without any, one is offered. */
    show: (infos, current) => panel.show(infos, current),
    /** What is in the tab cannot be opened. */
    fail: () => line.failed(),
    /** The server is where is searched. A copy on its way is given up. */
    close: () => panel.close(),
  };
}

class Panel {
  #parts;
  #database;
  #infos = [];
  #current = null;
  /** Gives up the copy that is being made; null while there is none. */
  #copying = null;

  constructor(parts) {
    this.#parts = parts;
  }

  open(database) {
    const isNew = this.#database !== database;
    this.#database = database;
    this.#parts.place.hidden = false;
    if (isNew) this.#parts.line.begin();
  }

  show(infos, current) {
    const { line, body } = this.#parts;
    this.#infos = infos;
    this.#current = current ?? null;
    line.opened();
    line.index(this.#database, infos);
    if (infos.length === 0 && !body.hasChildNodes()) this.#offer();
    this.#drawActions();
  }

  close() {
    this.#database = undefined;
    this.#copying?.abort();
    this.#copying = null;
    this.#infos = [];
    this.#parts.line.end();
    this.#parts.place.hidden = true;
    this.#parts.body.replaceChildren();
  }

  #drawActions() {
    const name = this.#current?.name;
    const isIdle = this.#infos.length > 0 && !this.#parts.body.hasChildNodes();
    this.#parts.actions.replaceChildren(...(isIdle ? [
      button('Copy another\u2026', () => this.#offer({ focus: true })),
      ...(name ? [button(`Remove ${name}`, () => this.#askRemove(name))] : []),
    ] : []));
  }

  #draw(...content) {
    this.#parts.body.replaceChildren(...content);
    this.#drawActions();
  }

  /** Back to the results; undefined where there are none. */
  #leave() {
    return this.#infos.length > 0 ? () => this.#draw() : undefined;
  }

  /** The form, with what only the server knows: what there is to copy. */
  async #offer({ focus = false } = {}) {
    const { line } = this.#parts;
    const asked = this.#database;
    this.#draw(make('p', { className: 'note' }, 'Asking the server what it has\u2026'));
    let offers;
    try {
      offers = (await asked.offers()).filter(({ documents }) => documents > 0);
    } catch (error) {
      if (asked !== this.#database) return;
      line.reach(error.code !== 'unreachable');
      this.#draw(notices.failure(error, { onRetry: () => this.#offer({ focus: true }), onLeave: this.#leave() }));
      return;
    }
    if (asked !== this.#database || this.#copying) return;
    line.reach(true);
    if (offers.length === 0) return this.#draw(notices.nothingToCopy({ onLeave: this.#leave() }));
    const here = this.#infos.map(({ name }) => name);
    const onCopy = (choice) => this.#copy(choice, form);
    const form = makeCopyForm({ infos: offers, here, onCopy, onCancel: this.#leave() });
    this.#drawForm(form);
    if (focus) form.focus();
  }

  #drawForm(form) {
    this.#draw(notices.copyInvitation(this.#infos.length === 0, form.element));
  }

  async #copy(choice, form) {
    const { onChange, say } = this.#parts;
    const asked = this.#database;
    const control = new AbortController();
    const progress = makeProgress({
      name: choice.info.name, onCancel: () => control.abort(), onPhase: (phase) => say(`${phase}.`),
    });
    this.#copying = control;
    this.#draw(progress.element);
    try {
      const info = await asked.copy(choice, { signal: control.signal, onProgress: progress.show });
      if (asked !== this.#database) return;
      this.#copying = null;
      this.#draw();
      say(`${info.documents.toLocaleString('en')} documents are in this tab now.`);
      onChange(info.name);
    } catch (error) {
      if (asked !== this.#database) return;
      this.#copying = null;
      this.#copyFailed(error, form);
    }
  }

  #copyFailed(error, form) {
    const { onChange, say } = this.#parts;
    if (error.code === 'invalid_filter') {
      this.#drawForm(form);
      return form.showFilterError(error);
    }
    if (error.code === 'cancelled') {
      say('Cancelled.');
      this.#draw();
    } else {
      const onRetry = () => this.#drawForm(form);
      this.#draw(notices.failure(error, { inTab: true, onRetry, onLeave: this.#leave() }));
    }
    // What was there under its name may be gone.
    return onChange(null);
  }

  #askRemove(name) {
    const yes = button(`Remove ${name}`, () => this.#remove(name));
    this.#draw(notices.removal(name, [yes, button('Keep it', () => this.#draw())]));
    yes.focus();
  }

  async #remove(name) {
    const { onChange, say } = this.#parts;
    const asked = this.#database;
    try {
      await asked.remove(name);
    } catch (error) {
      const onRetry = () => this.#remove(name);
      if (asked === this.#database) this.#draw(notices.failure(error, { inTab: true, onRetry, onLeave: this.#leave() }));
      return;
    }
    if (asked !== this.#database) return;
    this.#infos = this.#infos.filter((info) => info.name !== name);
    this.#current = null;
    this.#draw();
    say(`${name} was removed from this tab.`);
    onChange(null);
  }
}
