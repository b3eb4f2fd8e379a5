// The arithmetic of the benchmarks: a figure that is computed wrongly misleads more than none.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { latency, middle, quantile, timeAt } from '../../bench/browser/numbers.mjs';

const POINTS = [{ recall: 0.9, us: 100 }, { recall: 0.98, us: 400 }, { recall: 0.94, us: 200 }];

const isNear = (got, wanted) => assert.ok(Math.abs(got.us - wanted) < 1e-9 && !got.atMost, JSON.stringify(got));

test('time at equal recall lies between the two nearest settings', () => {
  isNear(timeAt(0.94, POINTS, 'us'), 200);
  isNear(timeAt(0.96, POINTS, 'us'), Math.sqrt(200 * 400));
});

test('time at a recall below all settings is a bound, above all there is none', () => {
  assert.deepEqual(timeAt(0.8, POINTS, 'us'), { us: 100, atMost: true });
  assert.equal(timeAt(0.99, POINTS, 'us'), undefined);
});

test('settings that find equally much count by the quickest of them', () => {
  const alike = [{ recall: 0.95, us: 90 }, { recall: 0.95, us: 80 }, { recall: 0.99, us: 160 }];
  assert.deepEqual(timeAt(0.9, alike, 'us'), { us: 80, atMost: true });
  isNear(timeAt(0.97, alike, 'us'), Math.sqrt(80 * 160));
});

test('medians are of rounds and quantiles of calls', () => {
  assert.deepEqual(middle([3, 1, 2]), { median: 2, spread: 3 });
  assert.equal(quantile([5, 1, 4, 2, 3], 0.95), 5);
  const { p50_us, p95_us, mean_us, qps, spread } = latency([[1, 1, 4], [1, 1, 4], [2, 2, 8]]);
  assert.deepEqual({ p50_us, p95_us, mean_us, qps, spread }, { p50_us: 1000, p95_us: 4000, mean_us: 2000, qps: 500, spread: 2 });
});
