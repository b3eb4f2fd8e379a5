// What the vector benchmarks compute, draw and write: interpolation, recall, ratios, the plot and the page.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { browserSection } from '../../bench/browser/page.mjs';
import { chart } from '../../bench/vectors/chart.mjs';
import { measureCurves, qpsAt, ratioAt, readTruth, recall } from '../../bench/vectors/measure.mjs';
import { replaced, section } from '../../bench/vectors/page.mjs';

const points = (...pairs) => pairs.map(([found, us]) => ({ recall: found, us }));

test('queries a second at a recall lie between two settings, by logarithms', () => {
  const curve = points([0.9, 100], [0.98, 400]);
  const { qps, atLeast } = qpsAt(0.94, curve);
  assert.ok(Math.abs(qps - 1e6 / 200) < 1e-6 && !atLeast, `${qps}`);
  assert.equal(qpsAt(0.99, curve), undefined);
});

test('a ratio is a bound when only a bound of ours is known, and nothing when theirs is one', () => {
  const [quick, slow] = [points([0.96, 50], [0.99, 100]), points([0.9, 100], [0.98, 400])];
  assert.deepEqual(ratioAt(0.94, quick, slow), { ratio: qpsAt(0.94, quick).qps / qpsAt(0.94, slow).qps, atLeast: true });
  assert.equal(ratioAt(0.94, slow, quick), undefined);
  assert.equal(ratioAt(0.99, quick, slow), undefined);
});

test('what is as near as the last right answer is right too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kithdb-bench-'));
  try {
    const ids = Int32Array.from({ length: 24 }, (_, i) => i);
    // Of the first query the tenth and eleventh are equally near; of the second they are not.
    const distances = Float32Array.from({ length: 24 }, (_, i) => (i === 10 ? 9 : i % 12));
    writeFileSync(join(folder, 't.i32'), ids);
    writeFileSync(join(folder, 't.f32'), distances);
    const truth = readTruth(folder, 't', 2);
    const first = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    const second = [12, 13, 14, 15, 16, 17, 18, 19, 20];
    assert.equal(recall([...first, 10, ...second, 21], truth), 1);
    assert.equal(recall([...first, 11, ...second, 22], truth), 0.9);
    const kept = readTruth(folder, 't', 2, (id) => id !== 1);
    assert.deepEqual([...kept[0]], [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.throws(() => recall(first, truth), /9 results for 2 queries/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('engines take turns, and medians are of rounds', async () => {
  const asked = [];
  const engine = (name, seconds) => ({
    runner: {
      ask: async ({ ef, ids }) => {
        asked.push(`${name}${ef}`);
        return { cpu_s: seconds, wall_s: 2 * seconds, ...(ids ? { ids: Array.from({ length: 10 }, (_, i) => i) } : {}) };
      },
    },
  });
  const truths = { truth: [new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 99])] };
  const curves = await measureCurves({ a: engine('a', 0.5), b: engine('b', 1) }, { efs: [8, 9], rounds: 2, truths });
  assert.equal(asked.join(' '), 'a8 b8 a9 b9 a8 b8 a9 b9 b8 a8 b9 a9');
  assert.deepEqual(curves.a[0], { ef: 8, recall: 0.9, us: 5e5, qps: 2, spread: 1, busy: 2 });
});

test('a plot is well-formed, shows every curve, and leaves out what finds less and takes longer', () => {
  const svg = chart({
    title: 'a <set> & more', x: 'recall', y: 'speed',
    curves: [
      { name: 'ours', points: [[0.9, 9000], [0.95, 5000], [0.94, 4000], [0.99, 1500]] },
      { name: 'theirs', points: [[0.5, 30_000], [0.9, 4000], [0.97, 1000]] },
    ],
  });
  const opened = [...svg.matchAll(/<([a-z]+)[^>]*?(\/?)>/g)].filter(([, , closed]) => !closed).map(([, tag]) => tag);
  const closed = [...svg.matchAll(/<\/([a-z]+)>/g)].map(([, tag]) => tag);
  assert.deepEqual(opened.toSorted(), closed.toSorted());
  assert.ok(svg.includes('a &#60;set&#62; &#38; more') && svg.includes('prefers-color-scheme: dark'));
  const drawn = [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, places]) => places.split(' '));
  assert.deepEqual(drawn.map((places) => places.length), [3, 2]);
  for (const [x, y] of drawn.flat().map((place) => place.split(',').map(Number))) {
    assert.ok(x >= 64 && x <= 700 && y >= 40 && y <= 388, `${x},${y} is outside the plot`);
  }
  // To the right is more recall, and higher is quicker.
  const [[x0, y0], [x1, y1]] = drawn[0].slice(0, 2).map((place) => place.split(',').map(Number));
  assert.ok(x0 < x1 && y0 < y1);
});

test('the page gets the section of its data set and keeps the others', () => {
  const page = readFileSync(new URL('../../docs/BENCHMARKS.md', import.meta.url), 'utf8');
  for (const name of ['glove', 'browser', 'sift', 'fashion', 'gloss', 'wide']) {
    const now = replaced(page, name, 'figures\n');
    assert.ok(now.includes(`<!-- measured by npm run bench -- ${name} -->\nfigures\n<!-- end of ${name} -->`));
    assert.equal(replaced(now, name, 'figures\n'), now);
  }
  assert.throws(() => replaced(page, 'unknown', ''), /no marks of unknown/);
});

test('a section names the machine, the versions, the ratios and the plot', () => {
  const curve = [{ ef: 64, recall: 0.95, us: 100, qps: 10_000, spread: 1.1, busy: 1 }];
  const engine = (name, cpu_s, bytes) => ({ name, version: '1.2.3', built: { cpu_s, wall_s: cpu_s }, memory: { bytes }, points: curve });
  const text = section({
    set: { name: 'glove', metric: 'cosine', count: 340_479, dim: 100, queries: 1000, from: 'npm' },
    parameters: { m: 16, ef_construction: 200 },
    rounds: 5,
    machine: { processor: 'a processor', cores: 2, spread: 1.1, busy: 1.2 },
    revision: 'abc',
    engines: { kithdb: { ...engine('KithDB', 40, 80 << 20), built_on_two: { wall_s: 20 } }, hnswlib: engine('hnswlib', 80, 200 << 20) },
    at: [{
      recall: 0.95, best: 'hnswlib', to_hnswlib: { ratio: 1.6 }, to_best: { ratio: 1.6, atLeast: true },
      qps: { kithdb: { qps: 16_000 }, hnswlib: { qps: 10_000, atLeast: true } },
    }],
    filters: [{ what: '1/10, by a filter', qps: { qps: 5000 }, ratio: { ratio: 0.5 }, points: curve }],
    node: { ef: 64, ratio: 0.91 },
  });
  for (const wanted of [
    'a processor, 2 cores', 'revision abc', '(images/bench-glove.svg)', '| 0.95 | 16,000 | > 10,000 | 1.60 | > 1.60 (hnswlib) |',
    '| KithDB | 1.2.3 | 40.0 | 0.50 | 80 | 0.40 |', '| 1/10, by a filter | 5,000 | 0.50 | 0.9500 |', '| 2.00 |', '| 0.91 |',
  ]) assert.ok(text.includes(wanted), `${wanted} is missing in\n${text}`);
});

test('the section of the browser divides times at equal recall and at equal settings', () => {
  const engine = (...all) => ({
    build_ms: { median: 1000 }, wasm_bytes: 4 << 20,
    points: all.map(([ef, found, p50_us]) => ({ ef, recall: found, p50_us, spread: 1.5 })),
  });
  const openings = (all) => Object.fromEntries(Object.entries(all).map(([name, median]) =>
    [name, { open_ms: { median }, from_navigation_ms: { median: median + 100 }, bytes: 80 * 1024 ** 2 }]));
  const text = browserSection({
    rounds: 5, machine: 'a processor', cores: 2, browser: 'Chromium 1', revision: 'abc', documents: 20_000, questions: 500,
    glove: {
      engines: {
        kith: engine([64, 0.95, 100]), hnswlib: engine([64, 0.94, 200], [96, 0.96, 200]), edgevec: engine([100, 0.93, 900]),
      },
      native: [{ ef: 64, p50_us: 60 }],
      threads: [{ threads: 1, median: 3000 }, { threads: 2, median: 1600 }],
    },
    saved: openings({
      'kith-vectors': 100, hnswlib: 200, 'kith-words': 50, minisearch: 100, 'orama-words': 125, 'kith-both': 150, 'orama-both': 600,
    }),
    reopen: openings({ 'kith-rows': 300, raw: 200 }),
    words: { kith: { p50_us: 20 }, minisearch: { p50_us: 500, common_of_10: 5 }, stemmed: { p50_us: 250, common_of_10: 7.25 } },
  });
  for (const wanted of [
    '| 0.9 | < 100 | < 200 | - |', '| 0.95 | < 100 | 200 | > 2.00 |', '| 64 | 0.9500 | 100 | 60 | 0.60 |',
    '| edgevec | 1000 | 4.0 |', 'recall 0.9300, 900 microseconds', 'slowest round 1.50 times',
    '| 2 | 1600 | 1.88 |', '500 questions of 2 to 4, 20,000 glosses', '| MiniSearch, stems and stop words | 250 | 12.50 | 7.3 |',
    '| Orama, words and vectors | 600 | 4.00 | 700 |', '100,000 vectors of 128 dimensions, 80 MiB', '| its bytes, read alone | 200 | 0.67 | 300 |',
  ]) assert.ok(text.includes(wanted), `${wanted} is missing in\n${text}`);
});
