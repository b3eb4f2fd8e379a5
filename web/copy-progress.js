// How far a copy has come: a line for each phase, the one that runs with a bar.

import { make } from './dom.js';

/** The phases of a copy in their order, by the names that tab-copy.js and tab-embedder.js give them. */
const PHASES = {
  embedder: { name: 'Getting the embedder', figure: megabytes },
  file: { name: 'Downloading the collection', figure: megabytes },
  documents: { name: 'Downloading documents', figure: share },
  edges: { name: 'Downloading edges', figure: share },
  importing: { name: 'Storing the collection', figure: () => '' },
  storing: { name: 'Embedding and storing', figure: share },
  sealing: { name: 'Sealing', figure: (_, total) => whole(total) },
};

const whole = (number) => number.toLocaleString('en');

function share(done, total) {
  return total > 0 && done < total ? `${whole(done)} of ${whole(total)}` : whole(done);
}

function megabytes(done, total) {
  const size = (bytes) => (bytes / 1e6).toFixed(1);
  if (done === 0) return '';
  return total > done ? `${size(done)} of ${size(total)} MB` : `${size(done)} MB`;
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
  const { name, figure } = PHASES[phase];
  const bar = make('progress', { aria: { label: name } });
  const shown = make('span', { className: 'phase-count' });
  const element = make('li', {}, make('span', { className: 'phase-name' }, name), shown, bar);
  return {
    phase,
    element,
    show(done, total) {
      shown.textContent = figure(done, total);
      // Without a value it shows that something is being done, and not how much.
      if (total > 0 && done > 0) Object.assign(bar, { max: total, value: done });
    },
    end() {
      bar.remove();
      element.className = 'ended';
    },
  };
}
