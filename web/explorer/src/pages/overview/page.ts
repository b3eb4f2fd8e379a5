// The overview's entry in the navigation.

import type { PageEntry } from '../../app/pages.js';

export default {
  name: 'overview',
  title: 'Overview',
  hint: 'collections, sizes, health',
  order: 10,
  icon: 'M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z',
  needs: 'database',
  load: () => import('./Overview.svelte'),
} satisfies PageEntry as PageEntry;
