// Lays a graph out, away from the page: steps in slices, and tells places when the page has drawn the last ones.

import { LAYOUT } from '../compute/defaults.js';
import { Layout } from '../compute/layout.js';
import type { LayoutAnswer, LayoutRequest } from './messages.js';

let layout: Layout | null = null;
let run = 0;
let nodes = 0;
let steps = 0;
let end = 0;
let still = false;
let spare: Float32Array | null = null;
let isDrawing = false;
let isAwake = false;

addEventListener('message', ({ data }: MessageEvent<LayoutRequest>) => {
  if (data.kind === 'begin') {
    layout = new Layout(data);
    ({ run, still } = data);
    nodes = data.fixed.length;
    steps = 0;
    end = performance.now() + data.ms;
    spare = null;
    isDrawing = false;
    wake();
  } else if (data.kind === 'hold') {
    layout?.hold(data.node, data.x, data.y, data.fixed);
  } else if (data.kind === 'drawn') {
    isDrawing = false;
    if (data.xy.length === 2 * nodes) spare = data.xy;
  } else {
    layout = null;
  }
});

/** Goes on in turns, so that messages are read in between. */
function wake(): void {
  if (isAwake) return;
  isAwake = true;
  setTimeout(slice);
}

function slice(): void {
  isAwake = false;
  if (!layout) return;
  const until = performance.now() + LAYOUT.sliceMs;
  let moved = Infinity;
  do {
    moved = layout.step();
    steps += 1;
  } while (performance.now() < until && moved > LAYOUT.still);
  const done = moved <= LAYOUT.still || performance.now() >= end;
  if (done || (!isDrawing && !still)) tell(layout, done);
  if (done) layout = null;
  else wake();
}

function tell(from: Layout, done: boolean): void {
  const xy = from.positions(spare ?? new Float32Array(2 * nodes));
  spare = null;
  isDrawing = true;
  const answer: LayoutAnswer = { run, xy, done, steps };
  postMessage(answer, { transfer: [xy.buffer] });
}
