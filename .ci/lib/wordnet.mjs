// Turns WordNet's database files into documents and edges, one JSON object a line.
// The format is wndb(5), the pointer symbols are wninput(5), the lexical files lexnames(5).

/** The files, and what stands for their part of speech in ids and pointers. */
export const PARTS = { noun: 'n', verb: 'v', adj: 'a', adv: 'r' };

const PART_NAMES = { n: 'noun', v: 'verb', a: 'adjective', r: 'adverb' };

/** `relation` names the target: "A hypernym B" says that B is a hypernym of A. */
const RELATIONS = {
  '!': 'antonym',
  '@': 'hypernym',
  '@i': 'instance_hypernym',
  '~': 'hyponym',
  '~i': 'instance_hyponym',
  '#m': 'member_holonym',
  '#s': 'substance_holonym',
  '#p': 'part_holonym',
  '%m': 'member_meronym',
  '%s': 'substance_meronym',
  '%p': 'part_meronym',
  '=': 'attribute',
  '+': 'derivationally_related',
  '*': 'entailment',
  '>': 'cause',
  '^': 'also_see',
  $: 'verb_group',
  '&': 'similar_to',
  '<': 'participle_of',
  '\\': 'pertainym',
  ';c': 'topic',
  ';r': 'region',
  ';u': 'usage',
  '-c': 'topic_member',
  '-r': 'region_member',
  '-u': 'usage_member',
};

const LEXICAL_FILES = (
  'adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body ' +
  'noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive ' +
  'noun.object noun.person noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation ' +
  'noun.shape noun.state noun.substance noun.time verb.body verb.change verb.cognition verb.communication ' +
  'verb.competition verb.consumption verb.contact verb.creation verb.emotion verb.motion verb.perception ' +
  'verb.possession verb.social verb.stative verb.weather adj.ppl'
).split(' ');

/** Parses one line of a data file; undefined for the licence lines at its head, which begin with a space. */
export function parseSynset(line) {
  if (!/^\d{8} /.test(line)) return undefined;
  const bar = line.indexOf(' | ');
  if (bar < 0) throw new Error(`no gloss: ${line.slice(0, 60)}`);
  const fields = line.slice(0, bar).trim().split(' ');
  let at = 0;
  const next = () => {
    if (at >= fields.length) throw new Error(`line ends early: ${line.slice(0, 60)}`);
    return fields[at++];
  };
  const offset = next();
  const file = LEXICAL_FILES[Number(next())];
  const type = next();
  // A satellite ("s") is an adjective whose cluster another adjective heads; pointers call both "a".
  const part = type === 's' ? 'a' : type;
  const lemmas = [];
  for (let count = parseInt(next(), 16); count > 0; count--) {
    // "(p)", "(a)", "(ip)" say where an adjective may stand; they are not part of the word.
    lemmas.push(next().replace(/\((?:p|a|ip)\)$/, '').replaceAll('_', ' '));
    next(); // lex_id
  }
  const pointers = [];
  for (let count = Number(next()); count > 0; count--) {
    const [symbol, target, targetPart, words] = [next(), next(), next(), next()];
    const relation = RELATIONS[symbol];
    if (!relation) throw new Error(`unknown pointer ${symbol}: ${line.slice(0, 60)}`);
    const [from, to] = [parseInt(words.slice(0, 2), 16), parseInt(words.slice(2), 16)];
    pointers.push({ relation, to: `${targetPart}${target}`, fromWord: from, toWord: to });
  }
  if (!file || !PART_NAMES[part]) throw new Error(`unknown kind: ${line.slice(0, 60)}`);
  const gloss = line.slice(bar + 3).trim();
  const metadata = { gloss, lemmas, lexical_file: file, part_of_speech: PART_NAMES[part] };
  return { document: { id: `${part}${offset}`, metadata }, pointers };
}

/**
 * Converts the text of the data files. A pointer between two words (an antonym, say) becomes an edge
 * between their synsets that names the two lemmas; a pointer whose target does not exist is an error.
 */
export function convert(texts) {
  const synsets = texts.flatMap((text) => text.split('\n').map(parseSynset).filter(Boolean));
  const lemmas = new Map(synsets.map(({ document }) => [document.id, document.metadata.lemmas]));
  const edges = synsets.flatMap(({ document: { id }, pointers }) =>
    pointers.map(({ relation, to, fromWord, toWord }) => {
      if (!lemmas.has(to)) throw new Error(`${id} points at ${to}, which does not exist`);
      const edge = { from: id, to, relation };
      if (fromWord === 0) return edge;
      return { ...edge, from_lemma: lemmas.get(id)[fromWord - 1], to_lemma: lemmas.get(to)[toWord - 1] };
    }),
  );
  return { documents: synsets.map(({ document }) => document), edges };
}

/**
 * Edges as `kithdb load` reads them: pointers between the words of the same two synsets are one edge that names the words, and
 * a synset is not linked to itself.
 */
export function links(edges) {
  const links = new Map();
  for (const { from: source, relation, to: target, from_lemma, to_lemma } of edges) {
    if (source === target) continue;
    const triple = `${source} ${relation} ${target}`;
    if (!links.has(triple)) links.set(triple, { source, relation, target });
    if (from_lemma === undefined) continue;
    const edge = links.get(triple);
    edge.properties ??= { words: [] };
    edge.properties.words.push(`${from_lemma} - ${to_lemma}`);
  }
  return [...links.values()].map((edge) => ({ edge }));
}
