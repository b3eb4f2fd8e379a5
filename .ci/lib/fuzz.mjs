// Builds and runs libFuzzer's programs of `fuzz/`, one for each target of `kithdb_tests::fuzz`.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';

import { LOCKED, ROOT, TARGET_FOLDER, output, run } from './run.mjs';
import { Refusal } from './say.mjs';

/** Apart from the other builds: every crate is compiled with counters of what is executed. */
const FOLDER = join(TARGET_FOLDER, 'fuzz');
/** What fuzzing found, kept in the repository. */
const COMMITTED = join(ROOT, 'fuzz/corpus');

/** What the compiler is told so that libFuzzer sees which branches an input takes and what is compared. */
const COVERAGE = [
  '-Cpasses=sancov-module',
  ...['level=4', 'inline-8bit-counters', 'pc-table', 'trace-compares'].map(
    (flag) => `-Cllvm-args=-sanitizer-coverage-${flag}`,
  ),
  '--cfg', 'fuzzing',
];

/** No input may take longer, or more memory, than any should. What is not touched counts too, where the system can say so. */
const MEMORY_MB = 512;
const LIMITS = ['-timeout=5', `-rss_limit_mb=${MEMORY_MB}`, '-max_len=4096'];
const LIMIT_ADDRESSES = `ulimit -v ${MEMORY_MB * 1024}; exec "$0" "$@"`;

/** The kept corpus of a target has at most so many bytes and files: it is in the repository. */
const KEPT_BYTES_MAX = 24 << 10;
const KEPT_FILES_MAX = 64;

/** Compiles all programs, and writes the seeds of every target into its working corpus; answers the targets' names. */
export async function buildFuzzers() {
  const host = /^host: (.+)$/m.exec(output('rustc', ['-vV']) ?? '')?.[1];
  if (!host) throw new Refusal('rustc -vV does not name its host; install Rust from https://rustup.rs');
  await run('cargo', [
    'build', '--release', ...LOCKED, '--manifest-path', 'fuzz/Cargo.toml', '--target', host, '--target-dir', FOLDER,
  ], { env: { RUSTFLAGS: COVERAGE.join(' ') } });
  const example = ['run', '--quiet', ...LOCKED, '-p', 'kithdb-tests', '--example', 'fuzz_seeds', corpus('')];
  await run('cargo', example);
  return readdirSync(corpus('')).map((name) => ({ name, program: join(FOLDER, host, 'release', name) }));
}

function corpus(name) {
  return join(FOLDER, 'corpus', name);
}

/** Runs one program for so many seconds; answers how often it ran and what made it stop before. */
export async function fuzz({ name, program }, seconds) {
  const artifacts = join(FOLDER, 'artifacts', name);
  mkdirSync(artifacts, { recursive: true });
  mkdirSync(join(COMMITTED, name), { recursive: true });
  const args = [
    ...LIMITS, `-max_total_time=${seconds}`, `-artifact_prefix=${artifacts}/`, '-print_final_stats=1', '-verbosity=0',
    corpus(name), join(COMMITTED, name),
  ];
  const { code, text } = await captured(program, args);
  const number = (what) => Number(new RegExp(`stat::${what}:\\s+(\\d+)`).exec(text)?.[1] ?? 0);
  const input = /Test unit written to (\S+)/.exec(text)?.[1];
  return { name, code, text, input, executions: number('number_of_executed_units'), seconds };
}

/** Its output is long and is shown only when something was found. */
async function captured(program, args) {
  const limited = process.platform === 'linux' ? ['bash', '-c', LIMIT_ADDRESSES, program] : [program];
  const child = spawn(limited[0], [...limited.slice(1), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const from of [child.stdout, child.stderr]) {
    from.setEncoding('utf8').on('data', (more) => {
      text = (text + more).slice(-100_000);
    });
  }
  const code = await new Promise((done) => {
    child.on('error', (error) => done(error.message));
    child.on('close', (status, signal) => done(status ?? signal));
  });
  return { code, text };
}

/** Replaces what is kept of a target's corpus by a choice of inputs each of which takes a branch that no other takes. */
export async function keep({ name, program }) {
  mkdirSync(join(COMMITTED, name), { recursive: true });
  const merged = join(FOLDER, 'merged', name);
  rmSync(merged, { recursive: true, force: true });
  mkdirSync(merged, { recursive: true });
  const { code, text } = await captured(program, ['-merge=1', merged, corpus(name), join(COMMITTED, name)]);
  if (code !== 0) throw new Refusal(`the corpus of ${name} could not be merged:\n${text.slice(-2000)}`);
  const files = readdirSync(merged).map((file) => ({ file, bytes: statSync(join(merged, file)).size }));
  files.sort((a, b) => a.bytes - b.bytes || a.file.localeCompare(b.file));
  // What has another name than libFuzzer gives was put there because a decoder failed on it.
  for (const file of readdirSync(join(COMMITTED, name)).filter((file) => /^[0-9a-f]{40}$/.test(file))) {
    rmSync(join(COMMITTED, name, file));
  }
  let [sum, count] = [0, 0];
  for (const { file, bytes } of spread(files)) {
    if (sum + bytes > KEPT_BYTES_MAX || count === KEPT_FILES_MAX) continue;
    [sum, count] = [sum + bytes, count + 1];
    copyFileSync(join(merged, file), join(COMMITTED, name, file));
  }
  return sum;
}

/** Files of every size first, then the others: small inputs alone would leave out what only larger ones reach. */
function spread(files) {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const step = Math.max(1, Math.ceil(bytes / KEPT_BYTES_MAX), Math.ceil(files.length / KEPT_FILES_MAX));
  return [...files.filter((_, i) => i % step === step - 1), ...files.filter((_, i) => i % step !== step - 1)];
}

/** The last lines of what a program said. */
export function ending({ text }) {
  return text.split('\n').slice(-40).join('\n');
}

/** The first bytes of an input, for those who read a log. */
export function hex(path) {
  return readFileSync(path).subarray(0, 64).toString('hex');
}
