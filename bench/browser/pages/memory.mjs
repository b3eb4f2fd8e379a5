// How much memory the module of KithDB has taken.

/** Bytes of the linear memory of the instance that the page has. */
export async function memory() {
  const module = await import('/kithdb/wasm/kithdb_wasm.js');
  return (await module.default()).memory.buffer.byteLength;
}
