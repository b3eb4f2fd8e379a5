// A Worker that looks at the files of a database in the origin private file system, and damages them.

import { DATA, decodeHead } from '/kithdb/opfs/header.js';

/** The files of the only database there is: their names, heads and sizes. */
async function files() {
  const parent = await (await navigator.storage.getDirectory()).getDirectoryHandle('kithdb');
  const all = [];
  for await (const directory of parent.values()) {
    for await (const [name, entry] of directory.entries()) {
      const file = await entry.getFile();
      all.push({ name, entry, size: file.size, head: decodeHead(new Uint8Array(await file.slice(0, 64).arrayBuffer())) });
    }
  }
  return all;
}

const told = async () => (await files()).map(({ size, head }) => ({ size, head: typeof head === 'string' ? head : { ...head } }));

/** Writes behind the end of the log of a collection, as a crash may leave it. */
async function tear() {
  const logs = (await files()).filter(({ head }) => head.kind === 'log');
  const { entry, size } = logs.sort((a, b) => a.head.birth - b.head.birth).at(-1);
  const handle = await entry.createSyncAccessHandle();
  handle.write(new Uint8Array(11).fill(7), { at: size });
  handle.close();
  return size - DATA;
}

/** Gives a file the head of a later version. */
async function later() {
  const { entry } = (await files()).find(({ head }) => head.kind === 'log');
  const handle = await entry.createSyncAccessHandle();
  const head = new Uint8Array(60);
  handle.read(head, { at: 0 });
  head[8] = 2;
  // The last bytes of what gzip makes are the checksum and the length.
  const zipped = new Response(new Blob([head]).stream().pipeThrough(new CompressionStream('gzip')));
  const checksum = new Uint8Array(await zipped.arrayBuffer()).slice(-8, -4);
  handle.write(Uint8Array.of(...head, ...checksum), { at: 0 });
  handle.close();
}

const VERBS = { files: told, tear, later };
globalThis.addEventListener('message', async ({ data }) => {
  const answer = await VERBS[data]().catch((error) => ({ error: String(error.stack ?? error) }));
  postMessage(answer);
});
