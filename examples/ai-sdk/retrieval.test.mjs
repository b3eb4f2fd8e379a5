// The example with models that answer by rule: what is stored is embedded by the SDK, and what a language model asks for found.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { generateText, isStepCount } from 'ai';
import { MockEmbeddingModelV4, MockLanguageModelV4 } from 'ai/test';
import { openMemory } from 'kithdb';

import { embedWith, lookUp } from './retrieval.mjs';

const WORDS = ['harbour', 'mountain', 'ferry'];

test('a language model looks up what it needs to answer', async (t) => {
  const asked = [];
  const embedder = new MockEmbeddingModelV4({
    doEmbed: async ({ values, abortSignal }) => {
      asked.push(...values);
      abortSignal?.throwIfAborted();
      const embeddings = values.map((text) => WORDS.map((word) => (text.includes(word) ? 1 : 0.1)));
      return { embeddings, warnings: [] };
    },
  });
  const db = await openMemory({ embed: embedWith(embedder) });
  t.after(() => db.close());
  const passages = await db.create('passages', { text: { fields: ['text'] } });
  await passages.addMany([
    { id: 'a', metadata: { text: 'The ferry leaves the harbour at nine.' } },
    { id: 'b', metadata: { text: 'The mountain is closed in winter.' } },
  ]);
  assert.equal(asked.length, 2);

  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 1, text: 1, reasoning: undefined },
  };
  const model = new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => {
      const found = prompt.findLast(({ role }) => role === 'tool')?.content[0].output.value;
      const call = { type: 'tool-call', toolCallId: '1', toolName: 'lookUp', input: '{"question":"ferry"}' };
      const content = found ? [{ type: 'text', text: `It says: ${found[0].text}` }] : [call];
      return { content, finishReason: { unified: found ? 'stop' : 'tool-calls', raw: undefined }, usage, warnings: [] };
    },
  });
  const { text } = await generateText({
    model,
    tools: { lookUp: lookUp(passages, { k: 1 }) },
    stopWhen: isStepCount(3),
    prompt: 'When does the ferry leave?',
  });
  assert.equal(text, 'It says: The ferry leaves the harbour at nine.');
  assert.equal(asked.at(-1), 'ferry');
});
