// The line that says how things stand in the tab: whether the server is there, what is being opened or indexed.

import { isServerThere } from './data.js';
import { make } from './dom.js';
import { count } from './present.js';

const OPENING = 'Opening what is in this tab\u2026';
const HERE = 'Searched inside this tab: what you type stays here.';
const CLOSED = 'What is in this tab is not open.';
const ALONE = 'The server is not reachable. What is in this tab is searched all the same.';

/** Draws the line into `place`, which it also marks when the server is away. */
export function makeTabLine(place) {
  const note = make('span');
  const work = make('span', { className: 'tab-work' });
  const element = make('p', { className: 'tab-note' }, make('span', {}, note, work));
  let how = OPENING;
  let isThere = true;
  /** The database whose collections are being indexed. */
  let indexing;

  function draw() {
    note.textContent = how === HERE && !isThere ? ALONE : how;
    place.classList.toggle('alone', !isThere);
  }

  async function indexAll(database, infos) {
    for (const { name, documents } of infos) {
      const onProgress = ({ done, total }) => {
        if (indexing !== database || done >= total) return;
        const segments = total > 1 ? `, ${done} of ${count(total, 'segment')}` : '';
        work.textContent = ` Indexing ${count(documents, 'document')}${segments}: until then every one is compared.`;
      };
      // It may be removed meanwhile, or another tab be chosen; whatever else it fails with, searching goes on.
      await database.index(name, { onProgress }).catch(() => {});
    }
  }

  return {
    element,
    /** The tab has been chosen. */
    async begin() {
      [how, isThere] = [OPENING, true];
      draw();
      isThere = await isServerThere();
      draw();
    },
    /** Its collections are there to be searched. */
    opened() {
      how = HERE;
      draw();
    },
    /** They cannot be had. */
    failed() {
      how = CLOSED;
      draw();
    },
    /** Whether the server answered just now. */
    reach(answers) {
      isThere = answers;
      draw();
    },
    /** Gives the collections that have no index yet one, which takes a while and keeps nobody waiting. */
    async index(database, infos) {
      const rest = infos.filter(({ dim, indexed, segments }) => dim !== null && indexed < segments);
      if (indexing === database || rest.length === 0) return;
      indexing = database;
      await indexAll(database, rest);
      if (indexing !== database) return;
      indexing = undefined;
      work.textContent = '';
    },
    /** The server has been chosen. */
    end() {
      indexing = undefined;
      work.textContent = '';
    },
  };
}
