// Vectors beside JSON in one body, as core/src/wire/packed.rs has it: no component is printed and read as text.

import type { Answer } from '../engine/backend.js';
import { noAnswer } from './http.js';

/** The media type of a body that is packed, or several. */
export const PACKED = 'application/vnd.kithdb.packed';

/** Typed arrays have the bytes of the machine; a packed body has the small end first. */
const IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A body of JSON and a vector, or none, for each of what it tells of. */
export function writePacked(json: string, vectors: readonly (Float32Array | undefined)[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(json);
  const padded = (text.length + 3) & ~3;
  const components = vectors.reduce((sum, vector) => sum + (vector?.length ?? 0), 0);
  const bytes = new Uint8Array(8 + padded + 4 * (vectors.length + components));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, padded, true);
  view.setUint32(4, vectors.length, true);
  bytes.set(text, 8);
  bytes.fill(0x20, 8 + text.length, 8 + padded);
  let [length, at] = [8 + padded, 8 + padded + 4 * vectors.length];
  for (const vector of vectors) {
    view.setInt32(length, vector?.length ?? -1, true);
    length += 4;
    if (!vector) continue;
    if (IS_LITTLE) new Float32Array(bytes.buffer, at, vector.length).set(vector);
    else vector.forEach((component, i) => view.setFloat32(at + 4 * i, component, true));
    at += 4 * vector.length;
  }
  return bytes;
}

/** The packed bodies of a body. */
export function readPacked(body: ArrayBuffer): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at < body.byteLength; ) {
    const { answer, end } = readOne(body, at);
    answers.push(answer);
    at = end;
  }
  return answers;
}

function readOne(body: ArrayBuffer, start: number): { answer: Answer; end: number } {
  const view = new DataView(body);
  const has = (from: number, bytes: number) => {
    if (from + bytes > body.byteLength || from % 4 !== 0) throw noAnswer('a whole packed body', `${body.byteLength} bytes`);
  };
  has(start, 8);
  const [textLength, count] = [view.getUint32(start, true), view.getUint32(start + 4, true)];
  const [text, numbers] = [start + 8, start + 8 + textLength];
  has(numbers, 4 * count);
  const json = new TextDecoder().decode(new Uint8Array(body, text, textLength));
  if (count === 0) return { answer: { json }, end: numbers };
  const lengths = Int32Array.from({ length: count }, (_, i) => view.getInt32(numbers + 4 * i, true));
  const components = lengths.reduce((sum, length) => sum + Math.max(length, 0), 0);
  const first = numbers + 4 * count;
  has(first, 4 * components);
  const vectors = IS_LITTLE
    ? new Float32Array(body, first, components)
    : Float32Array.from({ length: components }, (_, i) => view.getFloat32(first + 4 * i, true));
  return { answer: { json, vectors, lengths }, end: first + 4 * components };
}
