// What the page says instead of results: nothing to search, nothing found, something wrong, and what to do then.

import { make } from './dom.js';
import { cutAtByte } from './filters.js';
import { count } from './present.js';
import { LOAD_COMMAND, SERVE_COMMAND } from './settings.js';

function notice(kind, title, ...content) {
  const role = kind === 'error' ? { role: 'alert' } : {};
  return make('div', { className: `notice ${kind}`, ...role }, make('h2', {}, title), content);
}

const paragraph = (...content) => make('p', {}, content);
const folders = () => make('p', { className: 'note' },
  'DIR is the database\u2019s directory and EMBEDDER the embedder\u2019s, as the server was started with.');
const command = (text) => make('pre', { tabIndex: 0 }, make('code', {}, text));

/** A database without a collection. `steps`: commands that store a first document. */
export function emptyDatabase(steps) {
  return notice('empty', 'There is nothing to search yet',
    paragraph('This database has no collection. Make one and store a document in it, then load this page again:'),
    steps.map(command),
    paragraph('Or stop the server, load a file with one document a line, and start it again:'),
    command(LOAD_COMMAND), folders());
}

/** A collection without a document. `steps`: none in a tab, into which nobody types. */
export function emptyCollection({ name }, steps) {
  if (steps.length === 0) return notice('empty', `${name} holds no documents`, paragraph('Copy it again, with another filter.'));
  return notice('empty', `${name} holds no documents`,
    paragraph('Store one, then search again:'),
    steps.map(command),
    paragraph('Or stop the server, load a file with one document a line, and start it again:'),
    command(LOAD_COMMAND.replace('--collection notes', `--collection ${name}`)), folders());
}

/** Collections that could not be opened; the others serve. */
export function damaged(all) {
  return all.map(({ message, hint }) => make('p', { className: 'warning bad' },
    `${sentenceCase(message)}.`, hint && ` ${sentenceCase(hint)}.`));
}

/** Nothing found; a filter is the usual reason. */
export function nothingFound({ filter }, { onClearFilter }) {
  const clear = filter && make('button', { type: 'button', on: { click: onClearFilter } }, 'Search without the filter');
  return notice('empty', 'Nothing found',
    paragraph(filter
      ? 'No document that the filter lets through matches.'
      : 'No document matches. Try other words, or move the slider towards meaning.'),
    clear);
}

/** A collection that a link names and that is not there. */
export function unknownCollection(name, infos, { onChoose }) {
  const buttons = infos.map((info) => make('li', {},
    make('button', { type: 'button', on: { click: () => onChoose(info.name) } }, info.name),
    ` ${count(info.documents, 'document')}`));
  return notice('error', `There is no collection ${name}`, paragraph('There are:'), make('ul', {}, buttons));
}

/** What a reader of this page can do about an error in the tab; the engine's own hints are for programs. */
const IN_TAB = {
  disk_full: 'The browser gives this page no more room. Remove a collection from this tab or free space on this '
    + 'device, or copy fewer documents. Nothing that was stored before is lost',
  database_locked: 'Only one tab can search it at a time. Close the other one or switch it to Server, then try again',
  out_of_memory: 'There is not enough memory for so much in one tab. What was stored before is kept: copy fewer '
    + 'documents, or close other tabs, then try again',
  no_embedder: 'The embedder is not in this browser any more. Copy the collection again while the server runs',
  storage_lost: 'Load this page again. If the browser has cleared its data, copy the collection again',
  wasm_not_loaded: 'Load this page again while the server runs, in a browser of 2023 or later',
  unopenable: 'Clear what this browser has stored for this page, then copy the collection again',
  storage_unavailable: 'Private windows and some settings keep pages from storing anything. Search on the server, or '
    + 'use another window',
};
const IN_TAB_TITLES = { database_locked: 'Another tab has this data open', disk_full: 'There is no room left' };

/**
 * Any other error: what the core said, its hint, its code, and a way on. `inTab`: it happened in the engine of this
 * tab; `onLeave`: there is something to go back to.
 */
export function failure(error, { onRetry, inTab = false, onLeave }) {
  const ways = make('div', { className: 'actions' },
    make('button', { type: 'button', on: { click: onRetry } }, 'Try again'), leaveButton(onLeave));
  if (error.code === 'unreachable') {
    return notice('error', 'The server does not answer',
      paragraph('It may have been stopped. Start it again, then try again:'), command(SERVE_COMMAND), ways);
  }
  const [title, hint] = [inTab && IN_TAB_TITLES[error.code], inTab && IN_TAB[error.code]].map((text) => text || undefined);
  return notice('error', title ?? sentenceCase(error.message),
    (hint ?? error.hint) && paragraph(sentenceCase(hint ?? error.hint), '.'),
    error.code && make('p', { className: 'note' }, 'code ', make('code', {}, error.code)), ways);
}

const leaveButton = (onLeave) => onLeave && make('button', { type: 'button', on: { click: onLeave } }, 'Not now');

/** A filter once more, with a caret under the character where reading it stopped. */
export function filterError(error, filter) {
  const said = make('p', {}, error.expected
    ? `Expected ${error.expected}, got ${error.got ?? 'something else'}.`
    : sentenceCase(error.message));
  if (typeof error.position !== 'number') return [said];
  const { before, at, after } = cutAtByte(filter, error.position);
  // The end of a filter has no character to stand under.
  const spot = make('span', { className: 'spot', data: { before } }, at.trim() === '' ? '\u00a0' : at);
  const hidden = { aria: { hidden: 'true' } };
  said.prepend(make('span', { className: 'hidden' }, `At character ${[...before].length + 1}: `));
  return [make('pre', hidden, make('code', {}, before, spot, after)), said];
}

/** The form that copies a collection; `isFirst`: there is none in this tab yet. */
export function copyInvitation(isFirst, form) {
  return notice('empty', isFirst ? 'Copy a collection into this tab' : 'Copy another collection into this tab',
    paragraph('It is then searched here, by the same engine, without the server and even offline. It stays in this '
      + 'browser until you remove it.'),
    form);
}

/** The server has nothing that could be copied. */
export const nothingToCopy = ({ onLeave }) => notice('empty', 'The server has nothing to copy',
  paragraph('None of its collections holds a document. Switch to Server to see how to load some.'), leaveButton(onLeave));

/** Whether a collection is really to be removed. */
export const removal = (name, buttons) => notice('empty', `Remove ${name} from this tab?`,
  paragraph('The copy in this browser is deleted. What the server has stays as it is.'),
  make('div', { className: 'actions' }, buttons));

/** What was odd about a query that was answered nevertheless. */
export function warnings(all) {
  return all.map((text) => make('p', { className: 'warning' }, sentenceCase(text), '.'));
}

/** The core writes messages in lower case, because other programs put them into sentences. */
export const sentenceCase = (text) => text.charAt(0).toUpperCase() + text.slice(1);
