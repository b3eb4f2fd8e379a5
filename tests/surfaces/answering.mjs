// What a surface answers to a line, in Node and in a page alike; protocol.mjs says how lines come and go.

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
