// The page's pure functions, which need no browser: filters that a click writes, addresses, what a card shows.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cutAtByte, demands, equals, toggle } from '../../web/filters.js';
import { describe, markMatches, ordinal } from '../../web/present.js';
import { formatHash, initialState, parseHash } from '../../web/state.js';

test('a clicked fact becomes a comparison, quoted where the filter language asks for it', () => {
  assert.equal(equals('part_of_speech', 'noun'), "part_of_speech = 'noun'");
  assert.equal(equals('author', "O'Neill"), "author = 'O''Neill'");
  assert.equal(equals('path', 'C:\\temp'), "path = 'C:\\\\temp'");
  assert.equal(equals('year', 1990), 'year = 1990');
  assert.equal(equals('in stock', true), '`in stock` = true');
  assert.equal(equals('in', 'a'), "`in` = 'a'", 'a keyword is no bare name');
});

test('a clicked fact is added once and the next click takes it away again', () => {
  const noun = "part = 'noun'";
  assert.equal(toggle('', noun), noun);
  assert.equal(toggle('year > 1990', noun), `year > 1990 AND ${noun}`);
  assert.equal(toggle(`year > 1990 AND ${noun}`, noun), 'year > 1990');
  assert.equal(toggle(`a = 'x AND y' and ${noun}`, noun), "a = 'x AND y'");
  assert.equal(toggle('a = 1 OR b = 2', noun), `(a = 1 OR b = 2) AND ${noun}`);
  assert.equal(toggle('(a = 1 OR b = 2)', noun), `(a = 1 OR b = 2) AND ${noun}`);
  assert.ok(demands(`a = 1 AND ${noun}`, noun));
  assert.ok(!demands(`a = 1 OR ${noun}`, noun), 'an alternative is not demanded');
});

test('the place of an error is counted in bytes and shown at a character', () => {
  assert.deepEqual(cutAtByte('n=5 AND', 7), { before: 'n=5 AND', at: '', after: '' });
  assert.deepEqual(cutAtByte('t=\u201cx\u201d', 2), { before: 't=', at: '\u201c', after: 'x\u201d' });
  assert.deepEqual(cutAtByte('\u00e9\u{1f600}=)', 7), { before: '\u00e9\u{1f600}=', at: ')', after: '' });
  assert.deepEqual(cutAtByte('abc', 99), { before: 'abc', at: '', after: '' });
});

test('an address gives its state back and nonsense in it does no harm', () => {
  const state = { collection: 'notes', text: 'a & b #c', filter: "x = '50 %'", vector: '[1,2]', alpha: 0.7, k: 20 };
  assert.deepEqual(parseHash(formatHash(state)), state);
  assert.equal(formatHash(initialState()), '#');
  assert.deepEqual(parseHash('#alpha=much&k=-3&zzz=1'), { ...initialState(), k: 1 });
  assert.equal(parseHash('#alpha=7').alpha, 1);
});

test('a document shows a title, a text and short facts, whatever its metadata is', () => {
  const metadata = { gloss: 'tallest living quadruped', lemmas: ['giraffe', 'camelopard'], part: 'noun', deep: { a: 1 }, tags: ['x', 2] };
  const shown = describe({ id: 'n1', metadata }, ['gloss']);
  assert.equal(shown.title, 'giraffe');
  assert.deepEqual(shown.others, ['camelopard']);
  assert.deepEqual(shown.text, { field: 'gloss', value: 'tallest living quadruped' });
  assert.deepEqual(shown.chips, [{ field: 'part', value: 'noun' }, { field: 'tags', value: 'x' }, { field: 'tags', value: 2 }]);
  const bare = describe({ id: 'n2', metadata: {} }, null);
  assert.deepEqual([bare.title, bare.isIdTitle, bare.text, bare.chips], ['n2', true, undefined, []]);
  const long = describe({ id: 'n3', metadata: { remark: 'long '.repeat(20), note: 'short' } }, 'top_level');
  assert.equal(long.text.field, 'remark');
});

test('words are marked when they are forms of a stem, and their text stays whole', () => {
  const marked = (text, stems) => markMatches(text, stems).filter((piece) => piece.isMatch).map((piece) => piece.text);
  assert.deepEqual(marked('Measuring instruments measure; a measurement', ['measur', 'instrument']),
    ['Measuring', 'instruments', 'measure', 'measurement']);
  assert.deepEqual(marked('happy happiness, running, runs, lives, living', ['happi', 'run', 'live']),
    ['happy', 'happiness', 'running', 'runs', 'lives', 'living']);
  assert.deepEqual(marked('a liver, a runner, the tallest, necklaces', ['live', 'run', 'tall', 'neck']), []);
  assert.equal(markMatches('the neck, again', ['neck']).map((piece) => piece.text).join(''), 'the neck, again');
  assert.deepEqual(markMatches('nothing asked', []), [{ text: 'nothing asked', isMatch: false }]);
});

test('places are said as people say them', () => {
  assert.deepEqual([1, 2, 3, 4, 11, 22].map(ordinal), ['1st', '2nd', '3rd', '4th', '11th', '22nd']);
});
