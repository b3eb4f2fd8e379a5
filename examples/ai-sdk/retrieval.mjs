// Retrieval for the AI SDK: KithDB embeds with a model of the SDK's, and a language model looks things up by itself.
// Copy this file into a project that has `kithdb`, `ai` and `zod`.

import { embedMany, tool } from 'ai';
import { z } from 'zod';

/** A function for `embed`, where a database is opened or a collection spoken to, of an embedding model of the SDK's. */
export const embedWith = (model) => async (values, { signal }) => {
  const { embeddings } = await embedMany({ model, values, abortSignal: signal });
  return embeddings;
};

/** A tool that answers passages of a collection, best first: its text is that of their metadata's field `text`. */
export const lookUp = (collection, { k = 4, filter, description = 'Look up passages that may answer the question.' } = {}) =>
  tool({
    description,
    inputSchema: z.object({ question: z.string().describe('what to look for, in a few words') }),
    async execute({ question }, { abortSignal: signal }) {
      const { hits } = await collection.search({ text: question, plain: true, k, filter }, { signal });
      return hits.map(({ id, score, metadata }) => ({ id, score, text: metadata.text }));
    },
  });
