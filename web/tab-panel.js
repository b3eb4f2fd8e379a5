// What a reader can do with the collections of this tab: bring one from the server, remove one; and where things
// stand meanwhile. Shown only while the tab is where is searched.

import { isServerThere } from './data.js';
import { make } from './dom.js';
import { makeCopyForm } from './copy-form.js';
import { makeProgress } from './copy-progress.js';
import * as notices from './notices.js';

const HERE = 'Searched inside this tab: what you type stays here.';
const ALONE = 'The server is not reachable. What is in this tab is searched all the same.';

/**
 * Draws into `place`. `onChange(name)`: the collections of the tab are others now, `name` the one that came or null;
 * `say(text)` to those who listen.
 */
export function makeTabPanel(place, { onChange, say }) {
  const note = make('p', { className: 'tab-note' });
  const actions = make('div', { className: 'tab-actions' });
  const body = make('div', { className: 'tab-body' });
  let database;
  let infos = [];
  let current = null;
  let copying = null;
  place.append(make('div', { className: 'tab-line' }, note, actions), body);

  const button = (text, click) => make('button', { type: 'button', on: { click } }, text);

  function showActions() {
    const isBusy = copying !== null;
    actions.replaceChildren(...(isBusy || infos.length === 0 ? [] : [
      button('Copy another\u2026', () => offer({ focus: true })),
      current && button(`Remove ${current.name}`, () => askRemove(current.name)),
    ].filter(Boolean)));
  }

  /** The form; loaded from the server, because only it knows what there is. */
  async function offer({ focus = false, report } = {}) {
    const asked = database;
    body.replaceChildren(make('p', { className: 'note' }, 'Asking the server what it has\u2026'));
    let offers;
    try {
      offers = (await asked.offers()).filter(({ documents }) => documents > 0);
    } catch (error) {
      if (asked !== database) return;
      showReachable(error.code !== 'unreachable');
      body.replaceChildren(notices.failure(error, { onRetry: () => offer({ focus: true }), onLeave: leave() }));
      return;
    }
    if (asked !== database || copying) return;
    showReachable(true);
    if (offers.length === 0) return body.replaceChildren(notices.nothingToCopy({ onLeave: leave() }));
    const form = makeCopyForm({
      infos: offers, here: infos.map(({ name }) => name), onCopy: (choice) => copy(choice, form), onCancel: leave(),
    });
    body.replaceChildren(notices.copyInvitation(infos.length === 0, form.element));
    if (report) form.showFilterError(report);
    if (focus) form.focus();
  }

  /** Back to the results, where there are some. */
  const leave = () => (infos.length > 0 ? clear : undefined);

  function clear() {
    body.replaceChildren();
    showActions();
  }

  async function copy(choice, form) {
    const asked = database;
    const { name } = choice.info;
    copying = new AbortController();
    const { signal } = copying;
    showActions();
    const progress = makeProgress({ name, onCancel: () => copying?.abort(), onPhase: (phase) => say(`${phase}.`) });
    body.replaceChildren(progress.element);
    try {
      const info = await asked.copy(choice, { signal, onProgress: progress.show });
      copying = null;
      if (asked !== database) return;
      clear();
      say(`${info.documents.toLocaleString('en')} documents are in this tab now.`);
      onChange(name);
    } catch (error) {
      copying = null;
      if (asked !== database) return;
      if (error.code === 'invalid_filter') {
        body.replaceChildren(notices.copyInvitation(infos.length === 0, form.element));
        form.showFilterError(error);
        return;
      }
      if (error.code === 'cancelled') {
        say('Cancelled.');
        clear();
      } else {
        const again = () => body.replaceChildren(notices.copyInvitation(infos.length === 0, form.element));
        body.replaceChildren(notices.failure(error, { inTab: true, onRetry: again, onLeave: leave() }));
      }
      // What was there under its name may be gone.
      onChange(null);
    }
  }

  function askRemove(name) {
    const yes = button(`Remove ${name}`, () => remove(name));
    body.replaceChildren(notices.removal(name, [yes, button('Keep it', clear)]));
    yes.focus();
  }

  async function remove(name) {
    try {
      await database.remove(name);
    } catch (error) {
      body.replaceChildren(notices.failure(error, { inTab: true, onRetry: () => remove(name), onLeave: leave() }));
      return;
    }
    clear();
    say(`${name} was removed from this tab.`);
    current = null;
    onChange(null);
  }

  const showReachable = (isThere) => {
    note.textContent = isThere ? HERE : ALONE;
    place.classList.toggle('alone', !isThere);
  };

  return {
    /** The tab is where is searched from now on. */
    async open(its) {
      database = its;
      place.hidden = false;
      showReachable(true);
      const isThere = await isServerThere();
      if (its === database) showReachable(isThere);
    },
    /** Its collections and the one that is searched. Without any, one is offered. */
    show(all, chosen) {
      infos = all;
      current = chosen ?? null;
      if (infos.length === 0 && !body.hasChildNodes()) offer();
      showActions();
    },
    /** The server is where is searched. A copy on its way is given up. */
    close() {
      database = undefined;
      copying?.abort();
      copying = null;
      infos = [];
      place.hidden = true;
      body.replaceChildren();
    },
  };
}
