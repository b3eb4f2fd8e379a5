// The graph's entry in the navigation.

import type { PageEntry } from '../../app/pages.js';

export default {
  name: 'graph',
  title: 'Graph',
  hint: 'edges, paths, history',
  order: 30,
  icon: 'M6 8.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM18 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM10 20.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8.4 6.5l7.1 1.1M7 8.3l2.1 7.3M16.3 9.9l-4.7 6.2',
  needs: 'collection',
  load: () => import('./Graph.svelte'),
} satisfies PageEntry as PageEntry;
