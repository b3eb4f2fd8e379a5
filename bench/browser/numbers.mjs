// Medians, spreads, and the speed of two engines where they find equally much.

/** The middle of a set of numbers; of an even count the upper one of the two. */
export function median(numbers) {
  return quantile(numbers, 0.5);
}

/** The number below which a share of them lies. */
export function quantile(numbers, share) {
  return numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];
}

/** The median of rounds, and the largest of them over the smallest. */
export function middle(rounds) {
  return { median: median(rounds), spread: Math.max(...rounds) / Math.min(...rounds) };
}

/** What rounds of single calls cost: medians over the rounds of each round's own figures. */
export function latency(rounds) {
  const mean = rounds.map((times) => times.reduce((a, b) => a + b, 0) / times.length);
  return {
    p50_us: median(rounds.map((times) => quantile(times, 0.5))) * 1000,
    p95_us: median(rounds.map((times) => quantile(times, 0.95))) * 1000,
    mean_us: median(mean) * 1000,
    qps: 1000 / median(mean),
    spread: middle(mean).spread,
  };
}

/**
 * Microseconds of a call at a recall, from measured points: their logarithm runs straight between two of them. `atMost`
 * when even the quickest setting finds more than is asked; undefined when none finds as much.
 */
export function timeAt(recall, points, of) {
  const sorted = points.toSorted((a, b) => a.recall - b.recall || b[of] - a[of]);
  const upper = sorted.findIndex((point) => point.recall >= recall);
  if (upper < 0) return undefined;
  if (upper === 0) return { us: Math.min(...sorted.map((point) => point[of])), atMost: true };
  const [a, b] = [sorted[upper - 1], sorted[upper]];
  const share = (recall - a.recall) / (b.recall - a.recall);
  return { us: Math.exp(Math.log(a[of]) * (1 - share) + Math.log(b[of]) * share), atMost: false };
}
