// The vector index beside its peers on GloVe: 340,479 word vectors of 100 dimensions, cosine.
// Usage: npm run bench -- glove [--json] [--all] [--rebuild] [--no-page] [--only ENGINES] [--ef LIST] [--rounds N]

import { benchmark } from './vectors/run.mjs';

await benchmark('glove', {
  engines: ['kithdb', 'hnswlib', 'svs', 'kithdb-node'],
  others: ['usearch', 'faiss', 'hnswlib-node'],
  efs: [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024],
  parts: ['filters', 'threads'],
});
