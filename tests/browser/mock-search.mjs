// What the stand-ins for the server and for the engine have in common: a dozen documents, and answers of the shape of
// the real ones, which are no example of how to search. Runs in Node and in the page.

const animal = { lexical_file: 'noun.animal', part_of_speech: 'noun' };
const DISTANCES = new Map();
function synset(id, distance, lemmas, gloss, rest = animal) {
  DISTANCES.set(id, distance);
  return { id, metadata: { gloss, lemmas, ...rest } };
}

/** From WordNet 3.1, with a made-up distance from "very tall quadruped with a long neck that lives in Africa". */
export const WORDNET = [
  synset('n02441664', 0.31, ['giraffe', 'camelopard', 'Giraffa camelopardalis'],
    'tallest living quadruped; having a spotted coat and small horns and very long neck and legs; of savannahs of tropical Africa'),
  synset('n02442029', 0.36, ['okapi', 'Okapia johnstoni'],
    'similar to the giraffe but smaller with much shorter neck and stripe on the legs'),
  synset('n02423474', 0.42, ['gerenuk', 'Litocranius walleri'],
    'slender East African antelope with slim neck and backward-curving horns'),
  synset('n01521519', 0.47, ['ostrich', 'Struthio camelus'],
    'fast-running African flightless bird with two-toed feet; largest living bird'),
  synset('n02393701', 0.49, ['zebra'], 'any of several fleet black-and-white striped African equines'),
  synset('n02159523', 0.5, ['quadruped'], 'an animal especially a mammal having four limbs specialized for walking'),
  synset('n02439767', 0.55, ['camel'], 'cud-chewing mammal used as a draft or saddle animal in desert regions'),
  synset('n12210504', 0.61, ['baobab', 'monkey-bread tree', 'Adansonia digitata'],
    'African tree having an exceedingly thick trunk and fruit that resembles a gourd and has an edible pulp called monkey bread',
    { lexical_file: 'noun.plant', part_of_speech: 'noun' }),
  synset('n05554173', 0.7, ['neck', 'cervix'],
    'the part of an organism (human or animal) that connects the head to the rest of the body; "he admired her long graceful neck"; "the horse won by a neck"',
    { lexical_file: 'noun.body', part_of_speech: 'noun' }),
  synset('n03819888', 0.74, ['neck'],
    'a narrow part of an artifact that resembles a neck in position or form; "the banjo had a long neck"; "the bottle had a wide neck"',
    { lexical_file: 'noun.artifact', part_of_speech: 'noun' }),
  synset('n02797179', 0.86, ['barometer'], 'an instrument that measures atmospheric pressure',
    { lexical_file: 'noun.artifact', part_of_speech: 'noun' }),
  synset('n14405245', 0.93, ['agoraphobia'],
    'a morbid fear of open spaces (as fear of being caught alone in some public place)',
    { lexical_file: 'noun.state', part_of_speech: 'noun' }),
];

/** An error as the core reports it. */
export class Refusal extends Error {
  constructor(code, message, facts = {}) {
    super(message);
    this.report = { code, message, ...facts };
  }
}

const distanceOf = ({ id }) => DISTANCES.get(id) ?? 0.2;

/** What a search of these documents answers; throws a Refusal. */
export function answerSearch({ info: { dim, embedder }, documents }, request) {
  const { text, vector, filter = '', k, offset = 0, alpha = 0.5, explain } = request;
  if (vector && vector.length !== dim) {
    const message = `vector dimension mismatch: expected ${dim}, got ${vector.length}`;
    throw new Refusal('dimension_mismatch', message, { expected: String(dim), got: String(vector.length) });
  }
  const parts = filter.split(' AND ').filter(Boolean).map((part) => /^([\w.]+|`[^`]*`) = (?:'((?:[^']|'')*)'|(\d+))$/.exec(part));
  if (parts.includes(null)) throw refuseFilter(filter);
  const wanted = parts.map(([, field, quoted, plain]) => [field.replaceAll('`', ''), quoted?.replaceAll("''", "'") ?? plain]);
  const warnings = wanted.map(([field]) => field).filter((field) => !documents.some(({ metadata }) => field in metadata));
  const allowed = documents.filter(({ metadata }) => wanted.every(([field, value]) => String(metadata[field]) === value));
  const nearest = vector || (text && embedder) ? sideOf(allowed, (one) => ({ score: 1 / (1 + distanceOf(one)), distance: distanceOf(one) })) : null;
  const matching = text === undefined ? null : sideOf(allowed, (one) => matchWords(one, text));
  const hits = fuse(allowed, nearest, matching, alpha).slice(offset, offset + k);
  if (!explain) for (const hit of hits) delete hit.explanation;
  return { hits, warnings: warnings.map((field) => `no document has a field "${field}"`) };
}

/** The first part that is no comparison ends where the next AND or the filter does. */
function refuseFilter(filter) {
  const position = Buffer.byteLength(filter.trimEnd());
  return new Refusal('invalid_filter', `invalid filter at position ${position}: expected a value, got the end of the filter`, {
    position, expected: 'a comparison like year >= 1990', got: 'the end of the filter',
    hint: "a filter looks like: year >= 1990 AND (lang = 'en' OR lang = 'it')",
  });
}

/** A list of one side, the best first. */
function sideOf(documents, judge) {
  const judged = documents.map((one) => ({ one, ...judge(one) })).filter(({ score }) => score > 0);
  return judged.sort((a, b) => b.score - a.score).map((part, i) => ({ ...part, rank: i + 1 }));
}

function matchWords({ metadata }, text) {
  const stem = (word) => word.replace(/(?<=liv)ing$/, 'e').replace(/ing$|s$/, '');
  const words = (metadata.gloss ?? metadata.text).toLowerCase().match(/\w+/g).map(stem);
  const field = metadata.gloss ? 'gloss' : 'text';
  const asked = [...new Set(text.toLowerCase().match(/\w{3,}/g) ?? [])].filter((word) => word !== 'with' && word !== 'that').map(stem);
  const terms = asked.filter((term) => words.includes(term)).map((term) => {
    const tf = words.filter((word) => word === term).length;
    const idf = 4 + (term.length % 5);
    const contribution = (idf * tf) / (tf + 1.2);
    return { term, field, tf, df: 400 * term.length, documents: 117791, length: words.length, average_length: 11.62, idf, contribution };
  });
  return { terms, score: terms.reduce((sum, { contribution }) => sum + contribution, 0) };
}

function fuse(allowed, nearest, matching, alpha) {
  const isHybrid = nearest && matching;
  const share = (list, part, weight) => {
    if (!isHybrid) return part.score;
    const [best, worst] = [list[0].score, list.at(-1).score];
    return weight * (best > worst ? 1 - (best - part.score) / (best - worst) : 1);
  };
  const hits = allowed.map((one) => {
    const explanation = { vector: null, words: null };
    for (const [name, list, weight] of [['vector', nearest, alpha], ['words', matching, 1 - alpha]]) {
      const { one: _, ...part } = list?.find((candidate) => candidate.one === one) ?? {};
      if (part.rank) explanation[name] = { ...part, contribution: share(list, part, weight) };
    }
    const sum = (explanation.vector?.contribution ?? 0) + (explanation.words?.contribution ?? 0);
    const isListed = !nearest && !matching;
    return { id: one.id, score: isListed ? 1 : sum, metadata: one.metadata, explanation };
  });
  const isFound = ({ explanation }) => (!nearest && !matching) || explanation.vector || explanation.words;
  return hits.filter(isFound).sort((a, b) => b.score - a.score);
}
