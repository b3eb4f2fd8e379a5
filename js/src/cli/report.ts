// What people read: lines on stdout, one line for an error, and how far something is, on a terminal.

import { KithError } from '../errors.js';

/** Prints a line. */
export function out(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line of what is odd, as the log of the server does. */
export function say(level: string, message: string): void {
  process.stderr.write(`kithdb: ${level}: ${printable(message)}\n`);
}

/** Prints why the command ends. */
export function fail(message: string): void {
  process.stderr.write(`kithdb: ${message}\n`);
}

/** An error in one line, with what to do next. */
export function oneLine(error: unknown): string {
  const { message, hint } = error as Partial<KithError>;
  return `${String(message ?? error).replaceAll('\n', ' ')}${hint ? `; ${hint}` : ''}`;
}

/** Text that cannot steer a terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** Bytes for people. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** How often a terminal's line is written again. */
const REWRITE_MS = 100;

/** Shows how far some work is, on one line of a terminal; nothing elsewhere. */
export async function showing<T>(what: string, look: () => [done: number, total: number], work: Promise<T>): Promise<T> {
  const terminal = process.stderr;
  if (!terminal.isTTY) return work;
  const started = performance.now();
  const rewrite = (text: string) => terminal.write(`\r\x1b[K${text}`);
  const timer = setInterval(() => {
    const [done, total] = look();
    const seconds = (performance.now() - started) / 1000;
    const some = total > 0 ? ` ${done} of ${total}, ${(done / seconds).toFixed(0)} a second,` : '';
    rewrite(`${what}:${some} ${seconds.toFixed(1)} s`);
  }, REWRITE_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    rewrite('');
  }
}
