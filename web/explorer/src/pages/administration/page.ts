// The administration's entry in the navigation.

import type { PageEntry } from '../../app/pages.js';

export default {
  name: 'administration',
  title: 'Administration',
  short: 'Admin',
  hint: 'make, compress, jobs, keys, verify',
  order: 60,
  icon: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4',
  needs: 'database',
  load: () => import('./Administration.svelte'),
} satisfies PageEntry as PageEntry;
