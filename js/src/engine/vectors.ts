// Vectors on their way: one behind the other in memory of their own, and told apart again without a copy.

/** Vectors one behind the other; `lengths[i]` is -1 for none. */
export interface Flat {
  flat: Float32Array;
  lengths: Int32Array;
}

/** Vectors in memory that the caller does not have. */
export function flattened(vectors: readonly (Float32Array | undefined)[]): Flat {
  const lengths = Int32Array.from(vectors, (vector) => vector?.length ?? -1);
  const flat = new Float32Array(vectors.reduce((sum, vector) => sum + (vector?.length ?? 0), 0));
  let at = 0;
  for (const vector of vectors) {
    if (!vector) continue;
    flat.set(vector, at);
    at += vector.length;
  }
  return { flat, lengths };
}

/** The vectors, as views of the same memory. */
export function parted({ flat, lengths }: Flat): (Float32Array | undefined)[] {
  let start = 0;
  return Array.from(lengths, (length) => {
    if (length < 0) return undefined;
    start += length;
    return flat.subarray(start - length, start);
  });
}
