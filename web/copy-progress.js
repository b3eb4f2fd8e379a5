// How far a copy has come: a line for each phase, the one that runs with a bar.

import { make } from './dom.js';
import { count } from './present.js';

/** The phases of a copy in their order, by the names that tab-copy.js and tab-embedder.js give them. */
const PHASES = {
  embedder: { name: 'Getting the embedder', unit: megabytes },
  file: { name: 'Downloading the collection', unit: megabytes },
  documents: { name: 'Downloading documents', unit: documents },
  importing: { name: 'Storing the collection', unit: () => '' },
  storing: { name: 'Embedding and storing', unit: documents },
  sealing: { name: 'Sealing', unit: documents },
  indexing: { name: 'Indexing', unit: (done, total) => (total > 1 ? `${done} of ${count(total, 'segment')}` : '') },
};

function megabytes(done, total) {
  const size = (bytes) => (bytes / 1e6).toFixed(1);
  return total > 0 ? `${size(done)} of ${size(total)} MB` : `${size(done)} MB`;
}

function documents(done, total) {
  return total > 0 && done < total ? `${done.toLocaleString('en')} of ${count(total, 'document')}` : count(done || total, 'document');
}

/** Draws the phases as they come. `onPhase(name)` at the beginning of each, for those who listen. */
export function makeProgress({ name, onCancel, onPhase }) {
  const list = make('ol', { className: 'phases' });
  let running;
  const element = make('div', { className: 'progress' },
    make('h2', {}, `Copying ${name} into this tab`), list,
    make('div', { className: 'actions' }, make('button', { type: 'button', on: { click: onCancel } }, 'Cancel')));
  return {
    element,
    show({ phase, done, total }) {
      if (running?.phase !== phase) {
        running?.end();
        running = makePhase(phase);
        list.append(running.element);
        onPhase(PHASES[phase].name);
      }
      running.show(done, total);
    },
  };
}

function makePhase(phase) {
  const { name, unit } = PHASES[phase];
  const bar = make('progress', { aria: { label: name } });
  const figure = make('span', { className: 'phase-count' });
  const element = make('li', {}, make('span', { className: 'phase-name' }, name), figure, bar);
  return {
    phase,
    element,
    show(done, total) {
      figure.textContent = unit(done, total);
      // Without a value it shows that something is being done, and not how much.
      if (total > 0 && done > 0) Object.assign(bar, { max: total, value: done });
    },
    end() {
      bar.remove();
      element.className = 'ended';
    },
  };
}
