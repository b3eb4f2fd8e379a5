// How the explorer is built: relative addresses only, no inline script or style, and the engine left where the server
// has it already. Templates become calls that make elements one by one, as no text may become markup under its policy.

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

import { workerNotices } from './notices.mjs';

const notices = workerNotices('licenses-workers.json');

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [svelte({ configFile: false, compilerOptions: { runes: true, fragments: 'tree', modernAst: true } }), notices.page()],
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    // The first that know light-dark(), which everything else here is older than.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
    // What it is built of wants its notices to go along.
    license: { fileName: 'licenses.json' },
    // On a busy machine they are told of each build, and nothing is wrong then.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  worker: { format: 'es', plugins: () => [notices.worker()] },
});
