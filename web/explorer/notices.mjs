// The notices of what the Workers are built of: the build lists those of the page alone.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A plugin for the builds of the Workers, and one for that of the page, which writes `fileName`. */
export function workerNotices(fileName) {
  const folders = new Set();
  return {
    worker: () => ({
      name: 'worker-notices:collect',
      generateBundle(_, bundle) {
        for (const chunk of Object.values(bundle)) {
          for (const id of chunk.type === 'chunk' ? chunk.moduleIds : []) {
            const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replaceAll('\\', '/').replace(/^\0/, '')) ?? [];
            if (folder !== undefined && existsSync(join(folder, 'package.json'))) folders.add(folder);
          }
        }
      },
    }),
    page: () => ({
      name: 'worker-notices:write',
      generateBundle() {
        const notices = [...folders].map(noticeOf).sort((a, b) => (a.name < b.name ? -1 : 1));
        this.emitFile({ type: 'asset', fileName, source: `${JSON.stringify(notices, null, 2)}\n` });
      },
    }),
  };
}

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8');
  return { name: name ?? '', version: version ?? '', identifier: license ?? '', text };
}
