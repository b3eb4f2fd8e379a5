// `kithdb search`: the hits of a search with what they are made of, in a directory or on a server.

import { EXPLAIN_MAX } from '../engine/limits.js';
import { connect, open } from '../node.js';
import type { Database, Explanation, Highlight, Hit, SearchRequest } from '../types.js';
import { type Told, type Usage, UsageError, count } from './arguments.js';
import { out, printable, say } from './report.js';

/** So much of a document's metadata is printed. */
const METADATA_SHOWN = 160;

export const SEARCH: Usage = {
  name: 'search',
  about: 'Search a collection, and say of each result why it came; changes nothing',
  options: {
    data: { value: 'DIR', about: 'Directory of the database; nothing in it is changed' },
    url: { value: 'URL', about: 'A server to ask instead; its token is taken from the variable KITH_TOKEN' },
    embedder: { value: 'DIR', about: 'Directory of an embedder, to look for near vectors, too' },
    filter: { value: 'FILTER', about: "What may be found, such as \"year >= 1990 AND lang = 'en'\"" },
    k: { value: 'COUNT', about: `How many results; default 10. Of more than ${EXPLAIN_MAX} it is not said why they came` },
    'as-of': { value: 'TIME', about: 'What was there then, such as 2026-11-21T10:00:00Z' },
    json: { about: 'Answer in JSON' },
  },
  values: [
    { name: 'COLLECTION', about: 'The collection' },
    { name: 'TEXT', about: 'What to search for; left out, all that the filter accepts', isOptional: true },
  ],
};

/** Prints what is found. */
export async function search(told: Told): Promise<number> {
  const [collection, text] = told.values as [string, string | undefined];
  const [filter, as_of, k] = [told.text('filter'), told.text('as-of'), count(told, 'k')];
  const explain = k === undefined || k <= EXPLAIN_MAX;
  const request: SearchRequest = { text, filter, as_of, k, explain, highlight: text !== undefined };
  const db = await opened(told);
  try {
    const found = await db.collection(collection).search(request);
    for (const warning of found.warnings) say('warning', warning);
    if (told.has('json')) out(JSON.stringify(found, null, 2));
    else if (found.hits.length === 0) out('nothing is found');
    else found.hits.flatMap((hit, i) => hitInWords(hit, i + 1)).forEach(out);
    return 0;
  } finally {
    await db.close();
  }
}

async function opened(told: Told): Promise<Database> {
  const [data, url, embedder] = [told.text('data'), told.text('url'), told.text('embedder')];
  if ((data === undefined) === (url === undefined)) throw new UsageError('either --data or --url is to be given');
  if (data !== undefined) return open(data, { read_only: true, embedder });
  if (embedder !== undefined) throw new UsageError('--embedder is for --data: a server has its own');
  const token = process.env.KITH_TOKEN;
  return connect(url!, token ? { token } : {});
}

/** Lines for a hit: what it is, where the words stand or what it holds, and why it came. */
export function hitInWords(hit: Hit, rank: number): string[] {
  const passages = hit.highlights?.map(passage) ?? [];
  const shown = passages.length > 0 ? passages : [shortened(JSON.stringify(hit.metadata))];
  const reasons = hit.explanation ? reasonsInWords(hit.explanation) : [];
  return [`${rank}. ${hit.id}  ${number(hit.score)}`, ...[...shown, ...reasons].map((line) => `   ${line}`)].map(printable);
}

/** Matches stand between asterisks. */
function passage({ field, parts }: Highlight): string {
  return `${field}: ${parts.map((part, i) => (i % 2 === 1 ? `*${part}*` : part)).join('')}`;
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length > METADATA_SHOWN ? `${characters.slice(0, METADATA_SHOWN).join('')}...` : text;
}

function reasonsInWords({ words, vector, graph, decay }: Explanation): string[] {
  const lines = [];
  if (words) {
    const terms = words.terms.map(({ term, field, contribution }) => `${term} in ${field} ${number(contribution)}`);
    lines.push(`words ${number(words.contribution)}: number ${words.rank}, ${terms.join(', ')}`);
  }
  if (vector) {
    lines.push(`vector ${number(vector.contribution)}: number ${vector.rank}, distance ${number(vector.distance)}`);
  }
  if (graph) {
    const edges = graph.edges.map(({ source, relation, target }) => `${source} -${relation}-> ${target}`);
    lines.push(`graph ${number(graph.contribution)}: linked to ${graph.hit} by ${edges.join(', ')}`);
  }
  if (decay) lines.push(`age leaves ${number(decay.factor)} since ${decay.since}, touched ${decay.touches} times`);
  return lines;
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
