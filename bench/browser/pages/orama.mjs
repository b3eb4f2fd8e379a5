// Orama with its defaults over the glosses, with and without their vectors, kept as JSON, which is one of the formats that it
// has for its dumps.

import { create, insertMultiple, save } from '/peers/@orama/orama/dist/browser/index.js';

import { milliseconds } from './clock.mjs';
import { documents, json, vectors } from './data.mjs';
import { put } from './saved/text.mjs';

/** An empty index, for words or for both. */
export async function emptyIndex(kind) {
  const vector = kind === 'both' ? { embedding: `vector[${await json('dim')}]` } : {};
  return create({ schema: { gloss: 'string', ...vector } });
}

const contents = {
  words: documents,
  both: async () => {
    const all = await vectors();
    return (await documents()).map((document, i) => ({ ...document, embedding: [...all[i]] }));
  },
};

export default async () => {
  globalThis.bench = {
    save: async (kind) => {
      const [all, index] = [await contents[kind](), await emptyIndex(kind)];
      const total = await milliseconds(async () => {
        await insertMultiple(index, all);
        await put(`orama-${kind}`, JSON.stringify(save(index)));
      });
      return { total };
    },
  };
};
