// The server's binary: what only it can do is handed to it, arguments and signals and all.

import { spawn } from 'node:child_process';
import { accessSync, constants, openSync, readSync, closeSync } from 'node:fs';
import { constants as system } from 'node:os';
import { delimiter, join } from 'node:path';

/** What only it can do. */
export const OF_THE_BINARY: Record<string, string> = {
  serve: 'Serve a database directory over HTTP',
  'check-config': 'Say how `serve` would serve, and where each setting is from',
  health: 'Ask a server on this machine whether it is well',
  openapi: 'Print what is served as an OpenAPI document',
  load: 'Fill a collection from a file of documents, one JSON object a line',
  repair: 'Save what a damaged database still holds into a new directory; the old one stays as it is',
  dump: 'Write a collection as JSON lines, which `load` reads; changes nothing',
  export: 'Write a collection as one file, which `import` reads; changes nothing',
};

const RELEASES = 'https://github.com/kithdb/kithdb/releases';

/** Set for what is started: should it be this command again, by another name, it would start itself without end. */
const HANDED_ON = 'KITH_HANDED_ON';

/** Runs a command of the binary; answers what it ends with. */
export async function runBinary(args: string[]): Promise<number> {
  const isAgain = Boolean(process.env[HANDED_ON]);
  const binary = isAgain ? undefined : process.env.KITH_SERVER || findBinary();
  if (!binary) {
    const none = isAgain ? 'there is none: what was started in its place is this command again' : 'there is none on the PATH';
    const where = `get it from ${RELEASES} and put it on the PATH, or name it in the variable KITH_SERVER`;
    throw new Error(`\`kithdb ${args[0]}\` is done by the server's binary, and ${none}; ${where}`);
  }
  const child = spawn(binary, args, { stdio: 'inherit', env: { ...process.env, [HANDED_ON]: '1' } });
  // Whoever ends this process means the server, which takes its time to end well.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((ended, failed) => {
    child.on('error', (error) => failed(new Error(`${binary} cannot be started: ${error.message}`)));
    child.on('close', (code, signal) => ended(code ?? 128 + (system.signals[signal!] ?? 0)));
  });
}

/** The first `kithdb` of the PATH that is a program: what npm puts there is this script. */
function findBinary(): string | undefined {
  const name = process.platform === 'win32' ? 'kithdb.exe' : 'kithdb';
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(2);
      return readSync(file, head) === 2 && head.toString('latin1') !== '#!';
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
