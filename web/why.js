// Draws why a result came: a bar of the two parts of its score, one sentence, and the figures behind them.

import { make } from './dom.js';
import { count, number, ordinal, score } from './present.js';

/**
 * The bar, filled to `score / scale`. Meaning comes first, words stand on it; a part that is negative (an inner
 * product can be) has no length.
 */
export function makeBar() {
  const vector = make('span', { className: 'bar-part vector' });
  const words = make('span', { className: 'bar-part words' });
  const element = make('div', { className: 'bar', role: 'img' }, vector, words);
  const update = (hit, scale) => {
    const shares = [hit.explanation?.vector, hit.explanation?.words].map((part) => part?.contribution ?? 0);
    [vector, words].forEach((part, i) => {
      part.style.setProperty('width', `${(100 * Math.max(0, shares[i])) / scale}%`);
    });
    const [meaning, matching] = shares.map(score);
    element.setAttribute('aria-label', `score ${score(hit.score)}: ${meaning} from meaning, ${matching} from words`);
  };
  return { element, update };
}

/** One sentence: how near by each side. `asked` says which sides the query had. */
export function sentence({ explanation }, asked) {
  const parts = [];
  if (asked.vector) parts.push(side('vector', 'meaning', explanation?.vector));
  if (asked.words) parts.push(side('words', 'words', explanation?.words));
  return parts;
}

function side(kind, name, part) {
  const said = part ? [make('b', {}, ordinal(part.rank)), ` by ${name}`] : [`not found by ${name}`];
  const stems = (part?.terms ?? []).map(({ term }) => term).filter((term, i, all) => all.indexOf(term) === i);
  const list = stems.flatMap((term, i) => [i > 0 && ', ', make('i', {}, term)]);
  return make('span', { className: `side ${kind}${part ? '' : ' missing'}` }, said, stems.length > 0 && [': ', list]);
}

/** All figures. `metric` and `alpha` are those of the query. */
export function figures(hit, asked, { metric, alpha }) {
  const { vector, words } = hit.explanation ?? {};
  const isHybrid = asked.vector && asked.words;
  const rows = [];
  if (vector) {
    const raw = `${metric} distance ${number(vector.distance)}, score ${number(vector.score)}`;
    rows.push(partRow('vector', 'Meaning', raw, vector));
  }
  if (words) rows.push(partRow('words', 'Words', `BM25 ${number(words.score)}`, words));
  const sum = make('tr', { className: 'sum' },
    make('th', { scope: 'row' }, 'Score'), make('td'), make('td'),
    make('td', { className: 'figure' }, score(hit.score)));
  const parts = table('The parts of the score', ['Part', 'How near', 'Place', 'Adds'], [...rows, sum]);
  const note = isHybrid && make('p', { className: 'note' },
    'Each side\u2019s candidates are scaled from 0, the last, to 1, the first; then meaning counts '
    + `${percent(alpha)} and words ${percent(1 - alpha)}.`);
  return [parts, note, words?.terms.length > 0 && termTable(words.terms)];
}

function partRow(kind, name, raw, { rank, contribution }) {
  return make('tr', {},
    make('th', { scope: 'row', className: `side ${kind}` }, name),
    make('td', {}, raw),
    make('td', {}, ordinal(rank)),
    make('td', { className: 'figure' }, score(contribution)));
}

function termTable(terms) {
  const rows = terms.map((term) => make('tr', {},
    make('th', { scope: 'row' }, make('i', {}, term.term)),
    make('td', {}, term.field),
    make('td', {}, `${term.tf}\u00d7 in ${count(term.length, 'word')} (average ${number(term.average_length)})`),
    make('td', {}, `${number(term.df)} of ${count(term.documents, 'document')}`),
    make('td', { className: 'figure' }, number(term.idf)),
    make('td', { className: 'figure' }, number(term.contribution))));
  return table('The words, by their stems',
    ['Stem', 'Field', 'Here', 'Elsewhere', 'Rarity (idf)', 'Adds to BM25'], rows, 'wide');
}

/** A table that scrolls within itself on a narrow screen, and can be scrolled by keys. */
function table(caption, heads, rows, width = '') {
  const numeric = (head) => (/^(Adds|Rarity)/.test(head) ? 'figure' : '');
  const head = make('tr', {}, heads.map((name) => make('th', { scope: 'col', className: numeric(name) }, name)));
  return make('div', { className: `table ${width}`, role: 'region', tabIndex: 0, aria: { label: caption } },
    make('table', {}, make('caption', {}, caption), make('thead', {}, head), make('tbody', {}, rows)));
}

const percent = (share) => `${Math.round(100 * share)} %`;
