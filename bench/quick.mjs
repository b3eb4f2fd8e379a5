// The vector index beside hnswlib on the first 20,000 vectors of GloVe: seconds, to see what a change does.
// Usage: npm run bench -- quick [--json] [--all] [--rebuild] [--only ENGINES] [--ef LIST] [--rounds N]

import { benchmark } from './vectors/run.mjs';

await benchmark('quick', {
  engines: ['kithdb', 'hnswlib'],
  others: ['svs', 'usearch', 'faiss'],
  efs: [16, 32, 48, 64, 96, 128, 192, 256],
  page: false,
});
