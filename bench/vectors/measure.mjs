// Lets engines take turns at the same queries, and computes what the benchmarks are about: recall, queries a second at
// equal recall, and ratios.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { median, timeAt } from '../browser/numbers.mjs';

/** Results of a query. */
export const K = 10;
/** At which recalls speeds are compared. */
export const RECALLS = [0.9, 0.95, 0.97, 0.99];
/** A measurement repeats all queries until it has taken so many seconds. */
const MEASURE_S = 0.25;

/** The right answers of a data set, by the name of their file; among the rows that are kept, where not all are. */
export function readTruth(folder, name, queries, isKept = () => true) {
  const read = (ending, Kind) => {
    const { buffer, byteOffset, byteLength } = readFileSync(join(folder, `${name}.${ending}`));
    return new Kind(buffer.slice(byteOffset, byteOffset + byteLength));
  };
  const [ids, distances] = [read('i32', Int32Array), read('f32', Float32Array)];
  const depth = ids.length / queries;
  return Array.from({ length: queries }, (_, i) => right(ids, distances, i * depth, (i + 1) * depth, isKept));
}

/** What counts as found: the first K, and what is as near as the last of them but for the rounding of f32. */
function right(ids, distances, from, to, isKept) {
  const found = new Set();
  let bound = Infinity;
  for (let i = from; i < to && distances[i] <= bound; i += 1) {
    if (isKept(ids[i])) found.add(ids[i]);
    if (found.size === K) bound = Math.min(bound, distances[i] + Math.abs(distances[i]) * 1e-6);
  }
  return found;
}

/** The share of the K right ones that was found, over all queries. `ids` holds K of each query. */
export function recall(ids, truth) {
  if (ids.length !== truth.length * K) throw new Error(`${ids.length} results for ${truth.length} queries`);
  const found = truth.map((set, i) => ids.slice(i * K, (i + 1) * K).filter((id) => set.has(id)).length);
  return found.reduce((a, b) => a + b, 0) / ids.length;
}

/**
 * Points of each of several curves: `{runner, request}` by name, at each `ef`. All are asked once for their recall,
 * which also warms up; then in rounds, in turns that begin with another curve each time.
 */
export async function measureCurves(curves, { efs, rounds, truths, note = () => {} }) {
  const names = Object.keys(curves);
  const points = Object.fromEntries(names.map((name) => [name, []]));
  for (const ef of efs) {
    for (const name of names) {
      const { runner, request, truth } = curves[name];
      const { ids, cpu_s } = await runner.ask({ op: 'search', k: K, ef, ...request, ids: true });
      const times = Math.min(10, Math.max(1, Math.ceil(MEASURE_S / cpu_s)));
      points[name].push({ ef, recall: recall(ids, truths[truth ?? 'truth']), times, cpu: [], wall: [] });
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    note(`  round ${round + 1} of ${rounds}`);
    for (let at = 0; at < efs.length; at += 1) {
      for (let i = 0; i < names.length; i += 1) {
        const name = names[(i + round) % names.length];
        await measure(curves[name], points[name][at], truths.truth.length);
      }
    }
  }
  return Object.fromEntries(names.map((name) => [name, points[name].map(summed)]));
}

async function measure({ runner, request }, point, queries) {
  let [cpu, wall] = [0, 0];
  for (let i = 0; i < point.times; i += 1) {
    const { cpu_s, wall_s } = await runner.ask({ op: 'search', k: K, ef: point.ef, ...request });
    cpu += cpu_s;
    wall += wall_s;
  }
  point.cpu.push(cpu / point.times / queries);
  point.wall.push(wall / point.times / queries);
}

/** Medians of the rounds. `busy` is how much longer the clock ran than the processor worked: above 1 it had to wait. */
function summed({ ef, recall: found, cpu, wall }) {
  const us = median(cpu) * 1e6;
  return {
    ef, recall: found, us, qps: 1e6 / us,
    spread: Math.max(...cpu) / Math.min(...cpu),
    busy: median(wall) / median(cpu),
  };
}

/** Queries a second at a recall. `atLeast` when even the quickest setting finds more; undefined when none finds as much. */
export function qpsAt(wanted, points) {
  const at = timeAt(wanted, points, 'us');
  return at && { qps: 1e6 / at.us, atLeast: at.atMost };
}

/** How many times as quick one is as another at a recall; undefined when that cannot be said. */
export function ratioAt(wanted, ours, theirs) {
  const [a, b] = [qpsAt(wanted, ours), qpsAt(wanted, theirs)];
  // Of theirs only a bound is known: it may be quicker than any setting that was measured.
  if (!a || !b || b.atLeast) return undefined;
  return { ratio: a.qps / b.qps, atLeast: a.atLeast };
}

/** The largest of the spreads and the waits of all curves: what tells a busy machine. */
export function load(curves) {
  const points = Object.values(curves).flat();
  const middle = (of) => median(points.map((point) => point[of]));
  return { spread: middle('spread'), busy: middle('busy') };
}
