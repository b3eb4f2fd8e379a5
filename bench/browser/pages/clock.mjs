// Measures inside a page. The site is isolated, so that the clock ticks every 5 microseconds.

/** Milliseconds of each call, the answers thrown away. */
export function each(requests, ask) {
  const times = new Array(requests.length);
  for (let i = 0; i < requests.length; i += 1) {
    const start = performance.now();
    ask(requests[i]);
    times[i] = performance.now() - start;
  }
  return times;
}

/** Milliseconds of each call that is waited for. */
export async function eachAwaited(requests, ask) {
  const times = [];
  for (const request of requests) {
    const start = performance.now();
    await ask(request);
    times.push(performance.now() - start);
  }
  return times;
}

/** Milliseconds of work. */
export async function milliseconds(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
