// What is being asked, as the page's address: everything that decides the results stands behind the #, so that a
// link shares them and Back returns to them. Nothing secret is part of it.

import { SEARCH, WAIT } from './settings.js';

/** `collection`: null for the first there is. `vector`: as it was typed. */
export const initialState = () => ({
  collection: null, text: '', filter: '', vector: '', alpha: SEARCH.alpha, k: SEARCH.k,
});

/** Reads an address; what is missing or makes no sense is as at the start. */
export function parseHash(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const state = initialState();
  state.collection = given.get('c') || null;
  state.text = given.get('q') ?? '';
  state.filter = given.get('filter') ?? '';
  state.vector = given.get('vector') ?? '';
  state.alpha = within(given.get('alpha'), 0, 1, SEARCH.alpha);
  state.k = Math.round(within(given.get('k'), 1, SEARCH.kMax, SEARCH.k));
  return state;
}

/** The address of a state; what is as at the start is left out. */
export function formatHash(state) {
  const given = new URLSearchParams();
  if (state.collection) given.set('c', state.collection);
  if (state.text) given.set('q', state.text);
  if (state.alpha !== SEARCH.alpha) given.set('alpha', String(state.alpha));
  if (state.filter) given.set('filter', state.filter);
  if (state.vector) given.set('vector', state.vector);
  if (state.k !== SEARCH.k) given.set('k', String(state.k));
  return `#${given}`;
}

function within(text, least, most, fallback) {
  const number = Number.parseFloat(text);
  return Number.isFinite(number) ? Math.min(most, Math.max(least, number)) : fallback;
}

/**
 * Keeps the address in step. A query that is still being typed replaces its own entry; once it has stood for a
 * while, or was chosen at once, the next one is a new entry, so that Back undoes a thought and not a keystroke.
 */
export function keepAddress() {
  let settledAt = 0;
  return function write(state, { settled = false, replace = false } = {}) {
    const hash = formatHash(state);
    if (hash === (location.hash || '#')) {
      if (settled) settledAt = 0;
      return;
    }
    const isNew = !replace && performance.now() >= settledAt;
    history[isNew ? 'pushState' : 'replaceState'](null, '', hash);
    settledAt = settled || replace ? 0 : performance.now() + WAIT.settled;
  };
}
