// The vector index beside its peers on a million SIFT descriptors of 128 dimensions, Euclidean.
// Usage: npm run bench -- sift [--json] [--all] [--rebuild] [--no-page] [--only ENGINES] [--ef LIST] [--rounds N]

import { benchmark } from './vectors/run.mjs';

await benchmark('sift', {
  engines: ['kithdb', 'hnswlib'],
  others: ['svs', 'usearch', 'faiss'],
  efs: [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512],
});
