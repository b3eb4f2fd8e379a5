// The search's entry in the navigation.

import type { PageEntry } from '../../app/pages.js';

export default {
  name: 'search',
  title: 'Search',
  hint: 'by words, meaning and filter, with the reasons',
  order: 20,
  icon: 'M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5 20 20',
  needs: 'collection',
  load: () => import('./Search.svelte'),
} satisfies PageEntry as PageEntry;
