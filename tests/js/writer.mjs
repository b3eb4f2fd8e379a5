// Writes without end and prints the ids of what was acknowledged, one write a line.

import { writeSync } from 'node:fs';

import { open } from 'kithdb';

const [path, round] = process.argv.slice(2);
const db = await open(path);
const names = (await db.collections()).map((info) => info.name);
const collection = names.includes('a') ? db.collection('a') : await db.create('a', { text: {} });

async function write(writer) {
  for (let i = 0; ; i++) {
    const documents = Array.from({ length: 1 + (i % 3) }, (_, part) => {
      const id = `${round}-${writer}-${i}-${part}`;
      return { id, vector: new Float32Array(16).fill(i + 1), metadata: { id, text: `document ${id}` } };
    });
    await collection.addMany(documents, { durability: i % 4 === 0 ? 'always' : 'everysec' });
    writeSync(1, `${documents.map((document) => document.id).join(' ')}\n`);
    if (writer === 0 && i % 10 === 9) await collection.seal();
  }
}

await Promise.all([0, 1, 2].map(write));
