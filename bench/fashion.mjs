// The vector index beside its peers on Fashion-MNIST: 60,000 pictures of 784 dimensions, Euclidean.
// Usage: npm run bench -- fashion [--json] [--all] [--rebuild] [--no-page] [--only ENGINES] [--ef LIST] [--rounds N]

import { benchmark } from './vectors/run.mjs';

await benchmark('fashion', {
  engines: ['kithdb', 'kithdb-bits', 'kithdb-pq', 'hnswlib', 'svs'],
  others: ['usearch', 'faiss'],
  efs: [10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256],
});
