// The types of notices.mjs, which runs in Node and not in the page.

import type { Plugin } from 'vite';

/** A plugin for the builds of the Workers, and one for that of the page, which writes `fileName`. */
export function workerNotices(fileName: string): { worker: () => Plugin; page: () => Plugin };
