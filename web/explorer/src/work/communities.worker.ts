// Finds communities away from the page.

import { communities } from '../compute/communities.js';
import { answering } from './answering.js';
import type { CommunitiesAnswer, CommunitiesRequest } from './messages.js';

answering<CommunitiesRequest, CommunitiesAnswer>(({ nodes, ends, weights }) => {
  const found = communities(nodes, ends, weights);
  return [found, [found.of.buffer, found.sizes.buffer]];
});
