// How much of the processor's time JavaScript took on the main thread of a page in each frame, by a trace of the browser.

/** What the browser calls the times in which it runs a page's script. They lie in one another: what counts is what they cover. */
const SCRIPT = new Set([
  'FunctionCall', 'FireAnimationFrame', 'EventDispatch', 'TimerFire', 'EvaluateScript', 'RunMicrotasks', 'MajorGC',
  'MinorGC', 'v8.callFunction', 'HandlePostMessage',
]);
const FRAME = 'FireAnimationFrame';
const LIMIT_MS = 8;

/** Of the frames that a page drew: how many, and the milliseconds in one; `tdur` is the time of the processor, which others on the machine do not add to. */
export function framesOf({ traceEvents: events }) {
  const frames = events.filter(({ name, ph }) => name === FRAME && ph === 'X');
  // The thread that draws most frames is that of the page.
  const threads = new Map();
  for (const frame of frames) {
    const name = `${frame.pid} ${frame.tid}`;
    threads.set(name, [...(threads.get(name) ?? []), frame]);
  }
  const [thread, own] = [...threads].sort(([, a], [, b]) => b.length - a.length)[0] ?? ['', []];
  const script = events
    .filter(({ name, ph, pid, tid }) => ph === 'X' && SCRIPT.has(name) && `${pid} ${tid}` === thread)
    .sort((a, b) => a.ts - b.ts);
  const starts = own.map(({ ts }) => ts).sort((a, b) => a - b);
  // Several callbacks of one frame follow one another at once.
  const firsts = starts.filter((start, at) => at === 0 || start - starts[at - 1] > 4000);
  const times = new Array(firsts.length).fill(0);
  let [frame, covered] = [0, 0];
  for (const { ts, dur = 0, tdur = dur } of script) {
    // What lies within another is part of it.
    if (ts < covered) continue;
    covered = ts + dur;
    while (frame + 1 < firsts.length && ts >= firsts[frame + 1]) frame += 1;
    times[frame] += tdur / 1000;
  }
  const sorted = times.slice(1, -1).sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { frames: sorted.length, median: at(0.5), p95: at(0.95), most: at(1), over: sorted.filter((time) => time > LIMIT_MS).length };
}
