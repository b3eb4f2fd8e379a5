// What the page says instead of results: nothing to search, nothing found, something wrong, and what to do then.

import { make } from './dom.js';
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

/** A collection without a document. */
export function emptyCollection({ name }, steps) {
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

/** Any other error: what the core said, its hint, its code, and a way on. */
export function failure(error, { onRetry }) {
  const again = make('button', { type: 'button', on: { click: onRetry } }, 'Try again');
  if (error.code === 'unreachable') {
    return notice('error', 'The server does not answer',
      paragraph('It may have been stopped. Start it again, then try again:'), command(SERVE_COMMAND), again);
  }
  return notice('error', sentenceCase(error.message),
    error.hint && paragraph(sentenceCase(error.hint), '.'),
    error.code && make('p', { className: 'note' }, 'code ', make('code', {}, error.code)), again);
}

/** What was odd about a query that was answered nevertheless. */
export function warnings(all) {
  return all.map((text) => make('p', { className: 'warning' }, sentenceCase(text), '.'));
}

/** The core writes messages in lower case, because other programs put them into sentences. */
export const sentenceCase = (text) => text.charAt(0).toUpperCase() + text.slice(1);
