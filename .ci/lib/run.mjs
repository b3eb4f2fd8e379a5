// Starts other programs: with their output shown, captured, or both.

import { spawn, spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Refusal } from './say.mjs';

/** The top folder of the repository; every command runs there wherever it was called from. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where cargo and the other tools put what they make. */
export const TARGET_FOLDER = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target');

/** In CI a Cargo.lock that lags behind is an error; at a desk cargo brings it up to date. */
export const LOCKED = process.env.CI ? ['--locked'] : [];

/** What a program prints on stdout, trimmed; undefined when it does not exist or fails. */
export function output(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', ...options });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * Runs a program with its output shown and refuses when it fails.
 * With `onText` the output is also handed to that function as it comes.
 */
export async function run(program, args, { env = {}, cwd = ROOT, onText, mayFail = false } = {}) {
  const stdio = onText ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio });
  if (onText) {
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      from.setEncoding('utf8').on('data', (text) => {
        to.write(text);
        onText(text);
      });
    }
  }
  const code = await new Promise((done) => {
    child.on('error', (error) => done(error.message));
    child.on('close', (status, signal) => done(status ?? signal));
  });
  if (code !== 0 && !mayFail) {
    throw new Refusal(`failed (${code}): ${program} ${args.join(' ')}`);
  }
  return code;
}
