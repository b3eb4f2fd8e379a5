// The protocol of a surface: one JSON request a line on stdin, one JSON answer a line on stdout.
//
// {"op": ..., "args": {...}} is answered by {"ok": result} or {"error": {code, message, expected, got, position, hint}},
// in the shapes of REST.

import { createInterface } from 'node:readline';

/** Answers every line of stdin by `answer(line)`, a line of text. */
export async function serve(answer) {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const text = await answer(line);
    if (!process.stdout.write(`${text}\n`)) await new Promise((done) => process.stdout.once('drain', done));
  }
}
