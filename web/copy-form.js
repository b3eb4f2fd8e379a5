// What to copy into the tab: one of the server's collections, a part of it or all. Reads and draws; copies nothing.

import { make } from './dom.js';
import { count } from './present.js';
import { filterError } from './notices.js';
import { COPY, FILTER_EXAMPLE, FILTER_EXAMPLES, PARTS } from './settings.js';

/**
 * The form. `infos`: the collections of the server; `here`: names that are in the tab already. `onCopy(choice)` with
 * what tab-copy.js wants; `onCancel`: the reader wants none, left out when there is nothing else to do.
 */
export function makeCopyForm({ infos, here, onCopy, onCancel }) {
  const parts = makeParts();
  const chooser = make('select', { id: 'copy-name' }, infos.map(({ name, documents }) =>
    make('option', { value: name }, `${name}, ${count(documents, 'document')}`)));
  const current = () => infos.find(({ name }) => name === chooser.value);
  const replaces = make('p', { className: 'note' });
  const show = () => {
    parts.show(current());
    replaces.textContent = here.includes(chooser.value) ? `It replaces the ${chooser.value} that is in this tab.` : '';
  };
  chooser.addEventListener('change', show);
  const submit = (event) => {
    event.preventDefault();
    onCopy({ info: current(), ...parts.read() });
  };
  const form = make('form', { className: 'copy', autocomplete: 'off', on: { submit } },
    make('div', { className: 'copy-which' }, make('label', { htmlFor: 'copy-name' }, 'Collection'), chooser),
    parts.element, replaces,
    make('div', { className: 'actions' },
      make('button', { className: 'main' }, 'Copy into this tab'),
      onCancel && make('button', { type: 'button', on: { click: onCancel } }, 'Not now')));
  show();
  return {
    element: form,
    focus: () => chooser.focus(),
    showFilterError: parts.showError,
  };
}

/** The choice between a part and all of a collection. */
function makeParts() {
  const radio = (id, value) => make('input', { type: 'radio', name: 'copy-how', id, value });
  const [some, all] = [radio('copy-some', 'some'), radio('copy-all', 'all')];
  some.checked = true;
  const filters = make('textarea', {
    id: 'copy-filters', wrap: 'off', spellcheck: false, autocapitalize: 'off', aria: { describedby: 'copy-filters-note copy-filters-error' },
  });
  const most = make('input', { id: 'copy-most', type: 'number', min: 1, step: 1, required: true });
  const [someLabel, allLabel] = [make('span'), make('span')];
  const error = make('div', { id: 'copy-filters-error', className: 'filter-error', aria: { live: 'polite' } });
  const details = make('div', { className: 'copy-part' },
    make('label', { htmlFor: 'copy-filters' }, 'Filters, one a line'), filters,
    make('p', { id: 'copy-filters-note', className: 'note' },
      `Copies what any of them lets through, at most ${count(COPY.answerMax, 'document')} for each line. Leave it empty `
      + 'for the first documents.'),
    error,
    make('div', { className: 'copy-most' }, make('label', { htmlFor: 'copy-most' }, 'At most'), most, ' documents'));
  const showError = (report) => {
    filters.setAttribute('aria-invalid', String(report !== null));
    error.replaceChildren(...(report === null ? [] : filterError(report, report.filter ?? '')));
  };
  const toggle = () => {
    details.hidden = !some.checked;
    // What is hidden must not keep the form from being sent.
    most.disabled = !some.checked;
  };
  filters.addEventListener('input', () => showError(null));
  for (const choice of [some, all]) choice.addEventListener('change', toggle);
  const element = make('fieldset', {}, make('legend', {}, 'How much of it'),
    make('label', { className: 'choice', htmlFor: 'copy-some' }, some, someLabel),
    details,
    make('label', { className: 'choice', htmlFor: 'copy-all' }, all, allLabel));
  return {
    element,
    showError,
    show({ name, documents, embedder }) {
      const wanted = PARTS[name] ?? [];
      filters.value = wanted.join('\n');
      filters.rows = Math.max(2, wanted.length);
      filters.placeholder = FILTER_EXAMPLES[name] ?? FILTER_EXAMPLE;
      most.value = Math.min(documents, Math.max(1, wanted.length) * COPY.most) || 1;
      allLabel.replaceChildren(make('b', {}, 'All of it'), `: ${count(documents, 'document')} with the server\u2019s vectors`);
      someLabel.replaceChildren(make('b', {}, 'A part'), embedder === null ? '' : ', embedded here');
      showError(null);
      toggle();
    },
    read: () => ({ isWhole: all.checked, filters: lines(filters.value), most: most.valueAsNumber }),
  };
}

const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);
