// The map's entry in the navigation.

import type { PageEntry } from '../../app/pages.js';

export default {
  name: 'map',
  title: 'Map',
  hint: 'vectors in the plane',
  order: 40,
  icon: 'M9 4 4 6v14l5-2 6 2 5-2V4l-5 2zM9 4v14M15 6v14',
  needs: 'collection',
  load: () => import('./Map.svelte'),
} satisfies PageEntry as PageEntry;
