// A database directory as a store in memory holds it: its files are the same bytes.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { Disk } from '../js/wasm/store.mjs';

/** The numbers of the kinds of blobs (docs/FORMAT.md). */
const KINDS = { rows: 1, codes: 2, links: 3, text: 4, columns: 5, edges: 6, ends: 7, bits: 8, pq: 9, opq: 10 };

/** What a directory holds; nothing when there is none. */
export function diskOf(path) {
  const disk = new Disk();
  if (!existsSync(join(path, 'catalog'))) return disk;
  fill(disk.of(0), join(path, 'catalog'));
  for (const number of readdirSync(join(path, 'c'))) fill(disk.of(Number(number)), join(path, 'c', number));
  return disk;
}

function fill(storage, folder) {
  for (const file of readdirSync(folder)) {
    const read = () => new Uint8Array(readFileSync(join(folder, file)));
    const [, number, kind] = /^(\d+)\.(\w+)$/.exec(file) ?? [];
    const [, what, generation] = /^(MANIFEST|wal)-(\d+)$/.exec(file) ?? [];
    if (kind) storage.blobs.set(Number(number), { type: KINDS[kind], length: read().length, pieces: [[0, read()]] });
    if (what === 'wal') storage.logs.set(Number(generation), read());
    if (what === 'MANIFEST') storage.manifests.set(Number(generation), read());
  }
  // It was closed when it was written: the pointer names the newest.
  storage.current = Math.max(...storage.manifests.keys());
}
