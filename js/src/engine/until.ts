// What comes one after another, from wherever it comes, until somebody gives up.

import { invalidRequest } from '../errors.js';
import { heeding } from './backend.js';

/** Where something comes from. */
export type Source<T> = Iterable<T> | AsyncIterable<T> | ReadableStream<T>;

/** What comes, until somebody gives up: a source that says nothing is not waited for then. */
export async function* until<T>(signal: AbortSignal | undefined, source: Source<T>): AsyncGenerator<T> {
  const from = iterator(source);
  let isDone = false;
  try {
    for (;;) {
      const next = await heeding(async () => from.next(), { signal });
      isDone = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not waited for: it may never answer. What it says then is nobody's business.
    if (!isDone) void Promise.resolve(from.return?.()).catch(() => {});
  }
}

function iterator<T>(source: Source<T>): Iterator<T> | AsyncIterator<T> {
  if (typeof source === 'object' && source !== null) {
    if ('getReader' in source) return ofStream(source);
    if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
    if (Symbol.iterator in source) return source[Symbol.iterator]();
  }
  throw invalidRequest('documents that are an array, an iterable or a stream', source);
}

/** Not every browser goes through streams by itself, and what does waits for the next piece before it ends. */
function ofStream<T>(stream: ReadableStream<T>): AsyncIterator<T> {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<T>>,
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}
