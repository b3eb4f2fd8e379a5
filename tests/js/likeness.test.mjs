// The order of the browser module's functions: like beside like.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byLikeness, namedByLikeness } from '../../.ci/lib/likeness.mjs';

test('what is alike stands together, and everything is there once', () => {
  const family = (first) => Array.from({ length: 200 }, (_, i) => (first + i * i) % 251);
  const families = [3, 90, 170].map(family);
  // By turns one of each family, with something of its own at its end.
  const bodies = Array.from({ length: 60 }, (_, i) => Buffer.from([...families[i % 3], i, i + 1, i + 2]));
  const order = byLikeness(bodies);
  assert.deepEqual(order.toSorted((a, b) => a - b), [...bodies.keys()]);
  const changes = order.filter((body, place) => place > 0 && body % 3 !== order[place - 1] % 3);
  assert.equal(changes.length, 2);
});

test('long bodies leave the window, and those without likeness keep their order', () => {
  let state = 1;
  const noise = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  const long = () => Buffer.from(Array.from({ length: 20_000 }, noise));
  const bodies = [long(), Buffer.from([1, 2]), long(), Buffer.from([3, 4]), long()];
  assert.deepEqual(byLikeness(bodies), [0, 1, 2, 3, 4]);
  assert.deepEqual(byLikeness([]), []);
});

test('a module gets a name for each of its functions, and computes what it did', async () => {
  const section = (id, ...content) => [id, content.length, ...content];
  const [a, f, t, m, g] = [...'aftmg'].map((letter) => [1, letter.charCodeAt(0)]);
  const module = Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 0, 1, 0x7f),
    // A function, a table, a memory and a global.
    ...section(2, 4, ...a, ...f, 0, 0, ...a, ...t, 1, 0x70, 1, 0, 1, ...a, ...m, 2, 0, 1, ...a, ...g, 3, 0x7f, 0),
    ...section(3, 2, 0, 0),
    ...section(7, 1, ...f, 0, 2),
    // 5; and two more than that.
    ...section(10, 2, 4, 0, 0x41, 5, 0x0b, 7, 0, 0x10, 1, 0x41, 2, 0x6a, 0x0b),
  ]);
  const named = await WebAssembly.compile(namedByLikeness(module));
  const [names] = WebAssembly.Module.customSections(named, 'name');
  const numbered = (number, place) => [number, 8, ...Buffer.from(`0000000${place}`)];
  assert.deepEqual([...new Uint8Array(names)], [1, 21, 2, ...numbered(1, 0), ...numbered(2, 1)]);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1, maximum: 1 });
  const { exports } = await WebAssembly.instantiate(named, { a: { f: () => 0, t: table, m: memory, g: 1 } });
  assert.equal(exports.f(), 7);
});
