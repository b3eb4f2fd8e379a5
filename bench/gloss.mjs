// The vector index beside its peers on sentence embeddings: 60,000 glosses of WordNet, 384 dimensions, cosine.
// Usage: npm run bench -- gloss [--json] [--all] [--rebuild] [--no-page] [--only ENGINES] [--ef LIST] [--rounds N]

import { benchmark } from './vectors/run.mjs';

await benchmark('gloss', {
  engines: ['kithdb', 'kithdb-bits', 'kithdb-pq', 'hnswlib'],
  others: ['svs', 'usearch', 'faiss'],
  efs: [10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512],
});
