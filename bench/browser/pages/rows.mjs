// 100,000 vectors of 128 dimensions around a thousand centres, made where they are needed: how long it takes to open them
// does not depend on what they mean.

const COUNT = 100_000;
const DIM = 128;
const CENTRES = 1000;

/** Numbers of -1 to 1, the same in every page: the generator mulberry32. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

const around = (next, centre) => Float32Array.from(centre, (x) => x + next() / 2);

function centres() {
  const next = random(1);
  return Array.from({ length: CENTRES }, () => Float32Array.from({ length: DIM }, next));
}

/** All of them. */
export function rows() {
  const [all, next] = [centres(), random(2)];
  return Array.from({ length: COUNT }, (_, i) => around(next, all[i % CENTRES]));
}

/** One more, to be asked. */
export function rowQuery() {
  return around(random(3), centres()[0]);
}
