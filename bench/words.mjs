// Words beside tantivy: indexing the glosses of WordNet, postings on disk, and the ten best of a thousand queries.
// Usage: npm run bench -- words [--json] [--no-page] [--rounds N]

import { cpus } from 'node:os';
import { join } from 'node:path';

import { cacheFolder } from '../.ci/lib/data.mjs';
import { benchmark } from './native/run.mjs';
import { number } from './vectors/print.mjs';
import { revision } from './vectors/revision.mjs';

await benchmark('words', {
  options: { rounds: 9 },
  pinned: true,
  ask: (folder, { rounds }) => [join(cacheFolder(), 'wordnet/documents.jsonl'), folder, rounds],
  table,
});

function table({ documents, queries, rounds, common, kithdb, tantivy }) {
  const row = (what, key, digits) => [
    what, kithdb[key].toFixed(digits), tantivy[key].toFixed(digits), (kithdb[key] / tantivy[key]).toFixed(2),
  ];
  return {
    about: [
      `WordNet, ${number(documents)} glosses, ${number(queries)} queries of 1 to 4 words, top 10, median of ${rounds} rounds.`,
      `${cpus()[0].model}; processor time of one core; revision ${revision()}.`,
    ],
    head: ['', 'KithDB', 'tantivy', 'ratio'],
    rows: [
      row('queries/s, postings alone', 'rank_qps', 0),
      row('queries/s, with documents', 'search_qps', 0),
      row('indexing, MB of text/s', 'index_mb_per_s', 2),
      row('bytes of postings', 'posting_bytes', 0),
      row('bytes of postings and positions', 'stored_bytes', 0),
      row('slowest round / quickest', 'spread', 2),
    ],
    after: [`Of ten results ${(common * 10).toFixed(1)} are common: tantivy rounds lengths.`],
  };
}
