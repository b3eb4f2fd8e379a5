// Decides what of a document is its title, its text and its small facts, and how numbers read. Pure functions:
// a collection may hold any JSON, and none of it is known to this page.

import { CARD, TEXT_FIELDS, TITLE_FIELDS } from './settings.js';

/** Title, other names, the text with its field, and short facts as [{field, value}] to filter by. */
export function describe({ id, metadata }, textFields) {
  const used = new Set();
  const titleField = TITLE_FIELDS.find((field) => names(metadata[field]).length > 0);
  const [title, ...others] = titleField ? names(metadata[titleField]) : [id];
  if (titleField) used.add(titleField);
  const text = mainText(metadata, used, textFields);
  if (text) used.add(text.field);
  const chips = Object.entries(metadata).filter(([field]) => !used.has(field)).flatMap(([field, value]) => {
    const values = Array.isArray(value) ? value : [value];
    return values.filter(isShort).map((one) => ({ field, value: one }));
  });
  return { title, others, text, chips: chips.slice(0, CARD.chipsMax), isIdTitle: !titleField };
}

function names(value) {
  const all = Array.isArray(value) ? value : [value];
  return all.filter((one) => typeof one === 'string' && one.trim() !== '');
}

const isShort = (value) => typeof value === 'number' || typeof value === 'boolean'
  || (typeof value === 'string' && value !== '' && value.length <= CARD.chipLength);

/** A field known by its name, else one that the collection searches, else the longest string. */
function mainText(metadata, used, textFields) {
  const isText = (field) => !used.has(field) && typeof metadata[field] === 'string' && metadata[field] !== '';
  const searched = Array.isArray(textFields) ? textFields : [];
  const longest = Object.keys(metadata).filter((field) => isText(field) && metadata[field].length > CARD.chipLength)
    .sort((a, b) => metadata[b].length - metadata[a].length);
  const field = [...TEXT_FIELDS, ...searched, ...longest].find(isText);
  return field && { field, value: metadata[field] };
}

/**
 * Cuts a text into [{text, isMatch}] where its words look like forms of these stems. The stemmer is the engine's;
 * here a word matches when it is the stem and a common ending, which is right for nearly all words and only paints.
 */
export function markMatches(text, stems) {
  const pieces = [];
  let last = 0;
  for (const { 0: word, index } of stems.length > 0 ? text.matchAll(/[\p{L}\p{N}]+/gu) : []) {
    if (!stems.some((stem) => isForm(word.toLowerCase().normalize('NFKC'), stem))) continue;
    if (index > last) pieces.push({ text: text.slice(last, index), isMatch: false });
    pieces.push({ text: word, isMatch: true });
    last = index + word.length;
  }
  if (last < text.length) pieces.push({ text: text.slice(last), isMatch: false });
  return pieces;
}

const ENDINGS = /^e?(?:|y|s|es|'s|ed|d|ly|ing|ings|ment|ments|ness)$/;
/** The stemmer cuts these from long words only. */
const LONG_ENDINGS = /^e?(?:ers?|ics?|al|als|ally|ically|ions?|ations?|ates?|ated|ating|ities|ity|ied|ies|ive|ives|ism|ists?|able|ible|ances?|ences?|ants?|ents?|ous|ize[ds]?|izing|ful)$/;
const LONG = 4;

function isForm(word, stem) {
  if (word === stem) return true;
  // The last letter of a stem may stand for another: "happi" for "happy", "live" for "living", "run" for "running".
  const root = /[ie]$/.test(stem) && !word.startsWith(stem) ? stem.slice(0, -1) : stem;
  if (!word.startsWith(root) || root.length < 2) return false;
  const rest = word.slice(root.length);
  if (ENDINGS.test(rest)) return rest !== '' || root === stem;
  if (root.length >= LONG && LONG_ENDINGS.test(rest)) return true;
  return rest[0] === root.at(-1) && /^(?:ed|ing|ings)$/.test(rest.slice(1));
}

const PLACES = new Intl.PluralRules('en', { type: 'ordinal' });
const ENDING_OF = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

/** 1st, 2nd, 3rd. */
export const ordinal = (rank) => `${rank}${ENDING_OF[PLACES.select(rank)]}`;

/** Three digits that matter, without the noise of the others. */
export const number = (value) => (Math.abs(value) >= 1000
  ? Math.round(value).toLocaleString('en')
  : Number(value.toPrecision(3)).toString());

/** Always the same width in a list: scores are compared by the eye. */
export const score = (value) => (Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(3));

export const count = (value, one, many = `${one}s`) => `${value.toLocaleString('en')} ${value === 1 ? one : many}`;
