// The converter of the demo's data, on a few lines of each kind.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { convert, links, parseSynset } from '../../.ci/lib/wordnet.mjs';

const LICENCE = '  1 This software and database is being provided to you, the LICENSEE, by';
const GIRAFFE =
  '02441664 05 n 03 giraffe 0 camelopard 0 Giraffa_camelopardalis 0 001 @ 02441405 n 0000 | tallest living quadruped  ';
const FAMILY = '02441405 05 n 01 Giraffidae 0 001 ~ 02441664 n 0000 | giraffes  ';
const ASLEEP = '00189000 00 a 02 asleep(p) 0 sleeping 1 001 ! 00189500 a 0101 | in a state of sleep; "were all asleep"  ';
const AWAKE = '00189500 00 s 01 awake(p) 0 001 ! 00189000 a 0101 | not in a state of sleep  ';
const RUN = '01930264 38 v 01 run 0 001 @ 01930300 v 0000 02 + 01 00 + 02 00 | move fast  ';

test('a synset becomes a document with its gloss, lemmas, lexical file and part of speech', () => {
  assert.deepEqual(parseSynset(GIRAFFE).document, {
    id: 'n02441664',
    metadata: {
      gloss: 'tallest living quadruped',
      lemmas: ['giraffe', 'camelopard', 'Giraffa camelopardalis'],
      lexical_file: 'noun.animal',
      part_of_speech: 'noun',
    },
  });
});

test('a satellite is an adjective and its position marker is not part of the word', () => {
  const { document } = parseSynset(AWAKE);
  assert.equal(document.id, 'a00189500');
  assert.equal(document.metadata.part_of_speech, 'adjective');
  assert.deepEqual(document.metadata.lemmas, ['awake']);
});

test('pointers become edges with readable relations; those between words name the words', () => {
  const { documents, edges } = convert([[LICENCE, GIRAFFE, FAMILY, ASLEEP, AWAKE, ''].join('\n')]);
  assert.equal(documents.length, 4);
  assert.deepEqual(edges, [
    { from: 'n02441664', to: 'n02441405', relation: 'hypernym' },
    { from: 'n02441405', to: 'n02441664', relation: 'hyponym' },
    { from: 'a00189000', to: 'a00189500', relation: 'antonym', from_lemma: 'asleep', to_lemma: 'awake' },
    { from: 'a00189500', to: 'a00189000', relation: 'antonym', from_lemma: 'awake', to_lemma: 'asleep' },
  ]);
});

test('the demo has one edge between two synsets by a relation, which names the words', () => {
  const { edges } = convert([[LICENCE, GIRAFFE, FAMILY, ASLEEP, AWAKE, ''].join('\n')]);
  const itself = { from: 'a00189000', to: 'a00189000', relation: 'similar_to' };
  const again = { ...edges[2], from_lemma: 'sleeping', to_lemma: 'waking' };
  assert.deepEqual(links([...edges.slice(0, 3), itself, again]), [
    { edge: { source: 'n02441664', relation: 'hypernym', target: 'n02441405' } },
    { edge: { source: 'n02441405', relation: 'hyponym', target: 'n02441664' } },
    {
      edge: {
        source: 'a00189000', relation: 'antonym', target: 'a00189500',
        properties: { words: ['asleep - awake', 'sleeping - waking'] },
      },
    },
  ]);
});

test("a verb's sentence frames are not pointers", () => {
  assert.deepEqual(parseSynset(RUN).pointers.map(({ relation }) => relation), ['hypernym']);
});

test('a damaged file is refused', () => {
  assert.throws(() => convert([GIRAFFE]), /points at n02441405, which does not exist/);
  assert.throws(() => parseSynset(GIRAFFE.replace(' @ ', ' ? ')), /unknown pointer \?/);
  assert.throws(() => parseSynset(GIRAFFE.replace(' 03 ', ' 63 ')), /line ends early|unknown pointer/);
  assert.throws(() => parseSynset(GIRAFFE.replace(' | ', ' ')), /no gloss/);
});
