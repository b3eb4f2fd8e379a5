// The form: shows a state in its controls, reports what the reader changes, and shows errors where they belong.

import { byId } from './dom.js';
import { filterError, sentenceCase } from './notices.js';
import { FILTER_EXAMPLE, FILTER_EXAMPLES, SEARCH } from './settings.js';

/**
 * `onChange(part, kind)`: a part of the state and what was used: `text`, `slider`, `filter`, `vector`.
 * `onSubmit`: the reader wants the answer now. `onDown`: from the search box into the results.
 */
export function makeControls({ onChange, onSubmit, onDown }) {
  const [form, text, alpha, filter, vector] = ['form', 'text', 'alpha', 'filter', 'vector'].map(byId);
  const clear = byId('filter-clear');
  alpha.step = SEARCH.alphaStep;
  text.addEventListener('input', () => onChange({ text: text.value }, 'text'));
  vector.addEventListener('input', () => onChange({ vector: vector.value.trim() }, 'vector'));
  alpha.addEventListener('input', () => {
    showAlpha(alpha);
    onChange({ alpha: alpha.valueAsNumber }, 'slider');
  });
  filter.addEventListener('input', () => {
    clear.hidden = filter.value === '';
    onChange({ filter: filter.value }, 'filter');
  });
  clear.addEventListener('click', () => {
    filter.value = '';
    clear.hidden = true;
    filter.focus();
    onChange({ filter: '' }, 'filter');
    onSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    onSubmit();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    onDown();
  });
  document.addEventListener('keydown', (event) => focusBySlash(event, text));
  return { show, showAbilities, showFilterError, showVectorError, focus: () => text.focus() };
}

/** "/" goes to the search box, unless it is being typed somewhere. */
function focusBySlash(event, text) {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== 'range';
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  event.preventDefault();
  text.focus();
  text.select();
}

/** Puts a state into the controls; a box that has the same already keeps its cursor. */
function show(state) {
  for (const name of ['text', 'filter', 'vector']) {
    const box = byId(name);
    if (box.value.trim() !== state[name].trim()) box.value = state[name];
  }
  byId('alpha').value = state.alpha;
  showAlpha(byId('alpha'));
  byId('filter-clear').hidden = state.filter === '';
  if (state.vector) byId('vector-box').open = true;
}

function showAlpha(alpha) {
  const percent = Math.round(alpha.valueAsNumber * 100);
  byId('alpha-value').textContent = `${percent} %`;
  alpha.setAttribute('aria-valuetext', `${percent} % meaning, ${100 - percent} % words`);
  alpha.style.setProperty('--share', `${percent}%`);
}

/** What can be asked of this collection, and what has to be given for the rest. */
function showAbilities(info, state) {
  const hasWords = info.language !== null;
  const embeds = hasWords && info.embedder !== null;
  const canMix = embeds || (hasWords && state.vector !== '');
  byId('alpha').disabled = !canMix;
  byId('mix').classList.toggle('off', !canMix);
  byId('text').disabled = !hasWords;
  byId('text').placeholder = hasWords ? 'Describe what you are looking for' : 'This collection has no text';
  byId('filter').placeholder = FILTER_EXAMPLES[info.name] ?? FILTER_EXAMPLE;
  byId('vector-label').textContent = info.dim === null
    ? 'Vector, as a JSON array of numbers'
    : `Vector, as a JSON array of ${info.dim} numbers`;
  const note = byId('side-note');
  note.hidden = embeds;
  if (!hasWords) {
    note.textContent = 'This collection has no text, so it is searched by vectors alone: paste one below.';
  } else if (!embeds) {
    note.textContent = 'Words alone decide here: the collection has no embedder that would turn your text into a '
      + 'vector. To search by meaning too, paste a vector below.';
  }
  if (!hasWords) byId('vector-box').open = true;
}

/** What is wrong with the filter, and where; null takes it away. */
function showFilterError(error, filter) {
  byId('filter').setAttribute('aria-invalid', String(error !== null));
  byId('filter-error').replaceChildren(...(error === null ? [] : filterError(error, filter)));
}

function showVectorError(error) {
  byId('vector').setAttribute('aria-invalid', String(error !== null));
  byId('vector-error').textContent = error === null ? '' : `${sentenceCase(error.message)}.`;
  if (error !== null) byId('vector-box').open = true;
}
