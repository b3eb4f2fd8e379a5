// The documents' entry in the navigation.

import type { PageEntry } from '../../app/pages.js';

export default {
  name: 'documents',
  title: 'Documents',
  short: 'Docs',
  hint: 'look at, edit, import, export',
  order: 50,
  icon: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  needs: 'collection',
  load: () => import('./Documents.svelte'),
} satisfies PageEntry as PageEntry;
