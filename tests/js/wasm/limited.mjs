// The module with its memory bounded: the end that a phone's would have, at a size that a test can reach.

/** The bytes of a module, with so many pages of 64 KiB as the maximum of its memory. */
export function limited(bytes, pages) {
  const parts = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const [length, start] = number(bytes, at + 1);
    if (id === 5) parts.push(Uint8Array.of(5, ...section(bytes, start, pages)));
    else parts.push(bytes.subarray(at, start + length));
    at = start + length;
  }
  return joined(parts);
}

/** The section of one memory, again with `pages` as its maximum. */
function section(bytes, start, pages) {
  const [count, flags] = [bytes[start], start + 1];
  if (count !== 1 || bytes[flags] > 1) throw new Error('not one memory that is not shared');
  const [minimum] = number(bytes, flags + 1);
  const body = [1, 1, ...leb(minimum), ...leb(pages)];
  return [...leb(body.length), ...body];
}

/** An unsigned LEB128 number, and where it ends. */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    value |= (bytes[at] & 0x7f) << shift;
    if (bytes[at++] < 0x80) return [value, at];
  }
}

function leb(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
