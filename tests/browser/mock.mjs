// A stand-in for the server in the tests of the page: serves web/ under the page's own security policy and answers
// /v1 from a dozen documents. Its scores have the shape of the real ones and are no example of how to search.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

/** The policy under which the page has to work. */
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
  + "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
  + "require-trusted-types-for 'script'";

const animal = { lexical_file: 'noun.animal', part_of_speech: 'noun' };
const synset = (id, distance, lemmas, gloss, rest = animal) => ({ id, distance, metadata: { gloss, lemmas, ...rest } });

/** From WordNet 3.1, with a made-up distance from "very tall quadruped with a long neck that lives in Africa". */
const WORDNET = [
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

const HOSTILE = [{
  id: '<img src=x onerror=alert(1)>',
  distance: 0.2,
  metadata: { title: '<script>alert(1)</script>', text: '<b>neck</b> & "quotes"', 'it\'s odd': "O'Neill", year: 1990 },
}];

const info = (name, documents, rest) => ({
  name, metric: 'cosine', dim: 4, language: 'english', fields: 'top_level', embedder: null, m: 16,
  ef_construction: 200, documents, memtable: 0, segments: 1, indexed: 1, ended: 0, ...rest,
});

const COLLECTIONS = {
  wordnet: { info: info('wordnet', 117791, { dim: 256, fields: ['gloss'], embedder: 'wordllama-256' }), documents: WORDNET },
  hostile: { info: info('hostile', 1, {}), documents: HOSTILE },
  vectors: { info: info('vectors', 12, { language: null, fields: null }), documents: WORDNET },
  blank: { info: info('blank', 0, { dim: null }), documents: [] },
};

/**
 * Listens on a free port of this machine. `names`: which collections there are; `unopenable`:
 * those that are damaged. `seen` collects the bodies of
 * searches; `delayOf(body)` says how many ms an answer takes.
 */
export async function startMock({ names = Object.keys(COLLECTIONS), unopenable, delayOf = () => 0, port = 0 } = {}) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (!pathname.startsWith('/v1')) return sendFile(pathname, response);
    if (pathname === '/v1/collections') {
      return send(response, 200, { collections: names.map((name) => COLLECTIONS[name].info), unopenable });
    }
    const [, name] = /^\/v1\/collections\/([^/]+)\/search$/.exec(pathname) ?? [];
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    seen.push(body);
    await new Promise((done) => setTimeout(done, delayOf(body)));
    const [status, answer] = answerSearch(COLLECTIONS[decodeURIComponent(name)], body);
    return send(response, status, answer);
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const stop = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return { origin, seen, stop };
}

function send(response, status, answer) {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type });
  response.end(JSON.stringify(answer));
}

async function sendFile(pathname, response) {
  const name = pathname === '/' || pathname === '/ui/' ? 'index.html' : pathname.replace(/^\/ui\//, '');
  const headers = { 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' };
  if (!/^[a-z-]+\.[a-z]+$/.test(name)) return response.writeHead(404, headers).end();
  try {
    const bytes = await readFile(join(WEB, name));
    return response.writeHead(200, { ...headers, 'content-type': `${TYPES[extname(name)]}; charset=utf-8` }).end(bytes);
  } catch {
    return response.writeHead(404, headers).end();
  }
}

const problem = (code, message, rest) => [400, { type: 'about:blank', status: 400, error: message, code, message, ...rest }];

function answerSearch(collection, { text, vector, filter = '', k, alpha = 0.5, explain }) {
  const { info: { dim, embedder }, documents } = collection;
  if (vector && vector.length !== dim) {
    const message = `vector dimension mismatch: expected ${dim}, got ${vector.length}`;
    return problem('dimension_mismatch', message, { expected: String(dim), got: String(vector.length) });
  }
  const parts = filter.split(' AND ').filter(Boolean).map((part) => /^([\w.]+|`[^`]*`) = (?:'((?:[^']|'')*)'|(\d+))$/.exec(part));
  if (parts.includes(null)) return refuseFilter(filter);
  const wanted = parts.map(([, field, quoted, plain]) => [field.replaceAll('`', ''), quoted?.replaceAll("''", "'") ?? plain]);
  const warnings = wanted.map(([field]) => field).filter((field) => !documents.some(({ metadata }) => field in metadata));
  const allowed = documents.filter(({ metadata }) => wanted.every(([field, value]) => String(metadata[field]) === value));
  const nearest = vector || (text && embedder) ? sideOf(allowed, (one) => ({ score: 1 / (1 + one.distance), distance: one.distance })) : null;
  const matching = text === undefined ? null : sideOf(allowed, (one) => matchWords(one, text));
  const hits = fuse(allowed, nearest, matching, alpha).slice(0, k);
  if (!explain) for (const hit of hits) delete hit.explanation;
  return [200, { hits, warnings: warnings.map((field) => `no document has a field "${field}"`) }];
}

/** The first part that is no comparison ends where the next AND or the filter does. */
function refuseFilter(filter) {
  const position = Buffer.byteLength(filter.trimEnd());
  return problem('invalid_filter', `invalid filter at position ${position}: expected a value, got the end of the filter`, {
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
