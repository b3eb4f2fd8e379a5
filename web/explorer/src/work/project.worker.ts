// Projects vectors into the plane away from the page.

import { project, toUnits } from '../compute/pca.js';
import { answering } from './answering.js';
import type { ProjectAnswer, ProjectRequest } from './messages.js';

answering<ProjectRequest, ProjectAnswer>(({ rows, dim, isAngular }) => {
  if (isAngular) toUnits(rows, dim);
  const plane = project(rows, dim);
  return [plane, [plane.xy.buffer]];
});
