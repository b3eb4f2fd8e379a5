// How large is what a page loads: the very files it fetched, raw and as gzip sends them.

import { gzipSync } from 'node:zlib';

/** Bytes of files by what they are, from their paths on the site and their contents. */
export function sizes(files) {
  const sum = (chosen) => ({
    files: chosen.length,
    raw: chosen.reduce((all, [, content]) => all + content.length, 0),
    gz: chosen.reduce((all, [, content]) => all + gzipSync(content, { level: 9 }).length, 0),
  });
  const entries = Object.entries(files);
  const isModule = ([path]) => path.endsWith('.wasm');
  return { module: sum(entries.filter(isModule)), js: sum(entries.filter((entry) => !isModule(entry))), all: sum(entries) };
}
