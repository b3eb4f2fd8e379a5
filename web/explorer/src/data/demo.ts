// What the collections that come as a demo can be asked, and which part of one is copied unless the reader says otherwise.

const DEMO = 'wordnet';

const ALL = [
  'very tall quadruped with a long neck that lives in Africa',
  'instrument for measuring atmospheric pressure',
  'fear of open spaces',
  'collector of postage stamps',
  'word that reads the same backwards',
  'to speak very softly',
  'person who studies insects',
  'house made of blocks of snow',
];

/** In this browser usually a part of it is: animals, plants and food. */
const PART = [
  'very tall quadruped with a long neck that lives in Africa',
  'flightless bird of cold southern seas',
  'whale with a long tusk',
  'long thin pasta',
  'snake that squeezes its prey',
  'hot drink made from leaves',
  'extinct giant reptile',
  'sauce made from tomatoes',
];

/** Questions for a collection; none for one that is no demo. */
export const examplesOf = (collection: string, isCopy: boolean): readonly string[] =>
  collection !== DEMO ? [] : isCopy ? PART : ALL;

/** Filters of the part that is offered to be copied: each lets documents through by itself. */
export const partOf = (collection: string): readonly string[] =>
  collection !== DEMO ? [] : ["lexical_file = 'noun.animal'", "lexical_file = 'noun.plant'", "lexical_file = 'noun.food'"];
