// What the tests of the Node package share: folders that go away, errors by their code, processes of their own.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { KithError, openMemory } from 'kithdb';

/** The top folder of the repository. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const cleanups = new WeakMap();

/** Done after the test, what was asked for last first. */
export function after(t, work) {
  if (!cleanups.has(t)) {
    cleanups.set(t, []);
    t.after(async () => {
      for (const cleanup of cleanups.get(t).reverse()) await cleanup();
    });
  }
  cleanups.get(t).push(work);
}

/** An empty folder that goes away with the test. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'kithdb-test-'));
  after(t, () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A folder with a small embedder, whose vectors have two components. */
export function embedderFolder(t) {
  const path = folder(t);
  const vocab = { '?': 0, _: 1, a: 2, b: 3 };
  const pieces = [{ type: 'Prepend', prepend: '_' }, { type: 'Replace', pattern: { String: ' ' }, content: '_' }];
  const model = { type: 'BPE', unk_token: '?', fuse_unk: true, byte_fallback: false, vocab, merges: [] };
  const tokenizer = { normalizer: { type: 'Sequence', normalizers: pieces }, pre_tokenizer: null, model };
  writeFileSync(join(path, 'tokenizer.json'), JSON.stringify(tokenizer));
  const numbers = Float32Array.of(1, 1, 1, 2, 3, 1, 1, 5);
  const header = Buffer.from(JSON.stringify({ t: { dtype: 'F32', shape: [4, 2], data_offsets: [0, numbers.byteLength] } }));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  writeFileSync(join(path, 'model.safetensors'), Buffer.concat([length, header, Buffer.from(numbers.buffer)]));
  return path;
}

/** A database in memory that is closed after the test. */
export async function memory(t, options) {
  const db = await openMemory(options);
  after(t, () => db.close());
  return db;
}

/** What `work` fails with: a KithError of this code. */
export async function refused(code, work) {
  let error;
  try {
    await work();
  } catch (caught) {
    error = caught;
  }
  assert.ok(error !== undefined, `nothing was thrown instead of ${code}`);
  assert.ok(error instanceof KithError, `not a KithError: ${error?.stack ?? error}`);
  assert.equal(error.code, code, error.message);
  return error;
}

/** Starts a script of tests/js; `lines` are what it prints. */
export function start(script, ...args) {
  const child = spawn(process.execPath, [join(ROOT, 'tests/js', script), ...args], { cwd: ROOT });
  child.stderr.pipe(process.stderr);
  const ended = new Promise((done) => child.on('close', (code, signal) => done(signal ?? code)));
  return { child, ended, lines: createInterface({ input: child.stdout }) };
}

/** Numbers from a seed, in [0, 1). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A random vector. */
export function vector(next, dim) {
  return Float32Array.from({ length: dim }, () => next() - 0.5);
}
