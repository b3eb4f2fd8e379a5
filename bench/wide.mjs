// The vector index beside its peers on wider sentence embeddings: 60,000 glosses of WordNet, 768 dimensions, cosine.
// Usage: npm run bench -- wide [--json] [--all] [--rebuild] [--no-page] [--only ENGINES] [--ef LIST] [--rounds N]

import { benchmark } from './vectors/run.mjs';

await benchmark('wide', {
  engines: ['kithdb', 'kithdb-bits', 'kithdb-pq', 'hnswlib'],
  others: ['svs', 'usearch', 'faiss'],
  efs: [10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512],
});
