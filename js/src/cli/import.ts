// `kithdb import`: makes a collection from an export, as the command of this name of the server's binary does.

import { open as openFile } from 'node:fs/promises';

import { open } from '../node.js';
import { type Told, type Usage, needed } from './arguments.js';
import { out, showing } from './report.js';

export const IMPORT: Usage = {
  name: 'import',
  about: 'Make a collection from what `export` wrote',
  options: { data: { value: 'DIR', about: 'Directory of the database; made when it does not exist' } },
  values: [
    { name: 'NAME', about: 'Name of the new collection' },
    { name: 'FILE', about: 'What an export wrote' },
  ],
};

/** Makes the collection. */
export async function importFile(told: Told): Promise<number> {
  const [name, file] = told.values as [string, string];
  const data = needed(told, 'data');
  const bytes = await readWhole(file).catch((error: Error) => Promise.reject(new Error(`${file}: ${error.message}`)));
  const db = await open(data);
  try {
    const collection = await showing('importing', () => [0, 0], db.import(name, bytes));
    const { documents } = await collection.info();
    await db.close();
    out(`imported ${documents} documents from ${file} into ${name}`);
    return 0;
  } finally {
    await db.close();
  }
}

/** Bytes that are read at once: Node's own reading of whole files ends at 2 GiB. */
const PIECE = 64 << 20;

/** All of a file, however large it is; `piece` is a test's. */
export async function readWhole(path: string, piece = PIECE): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const stat = await file.stat();
    // What is no file says nothing of its size.
    if (!stat.isFile()) return await file.readFile();
    const bytes = new Uint8Array(stat.size);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, Math.min(piece, bytes.length - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}
