// The Worker's side of one question and its answer.

import type { Answer } from './messages.js';

/** Answers each message by what `work` makes of it, and hands these buffers over. */
export function answering<Question, T>(work: (question: Question) => [answer: T, handed: ArrayBufferLike[]]): void {
  addEventListener('message', ({ data }: MessageEvent<Question>) => {
    let message: Answer<T>;
    let handed: ArrayBufferLike[] = [];
    try {
      const [answer, buffers] = work(data);
      message = { answer };
      handed = buffers;
    } catch (error) {
      message = { failed: error instanceof Error ? error.message : String(error) };
    }
    postMessage(message, { transfer: handed as ArrayBuffer[] });
  });
}
