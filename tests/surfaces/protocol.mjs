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

/** A function from a line to the line that answers it. `isOurs` tells a refusal from a bug of the surface. */
export function answering(ops, isOurs) {
  const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
  const ask = async (line) => {
    try {
      const { op, args } = JSON.parse(line);
      if (!Object.hasOwn(ops, op)) throw new Error(`no op ${op}`);
      return { ok: (await ops[op](args ?? {})) ?? {} };
    } catch (error) {
      if (!isOurs(error)) return { error: { code: 'adapter', message: String(error?.stack ?? error) } };
      const { code, message, expected, got, position, hint } = error;
      return { error: { code, message, expected, got, position, hint } };
    }
  };
  return async (line) => JSON.stringify(await ask(line), plain);
}
