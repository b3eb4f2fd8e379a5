// The same data for every page: glosses, their vectors, and what is asked.

/** Documents `{id, gloss}`. */
export const documents = () => json('documents');

/** Queries of two to four words. */
export const words = () => json('words');

/** Whole glosses, for hybrid queries. */
export const glosses = () => json('glosses');

/** The documents' vectors. */
export const vectors = () => rows('vectors');

/** The vectors that are asked. */
export const queries = () => rows('queries');

/** The first question `{vector, text}` and how many documents there are: small, for what is timed from navigation. */
export const first = () => json('first');

/** A file of the data. */
export async function json(name) {
  return (await fetch(`/data/${name}.json`)).json();
}

async function rows(name) {
  const dim = await json('dim');
  const all = new Float32Array(await (await fetch(`/data/${name}.f32`)).arrayBuffer());
  return Array.from({ length: all.length / dim }, (_, i) => all.subarray(i * dim, (i + 1) * dim));
}
