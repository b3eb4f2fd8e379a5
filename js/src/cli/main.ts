#!/usr/bin/env node
// The command `kithdb` of the npm package: what a directory can be asked without a server; the rest is the server's binary.

import { type Told, type Usage, UsageError, columns, help, read } from './arguments.js';
import { OF_THE_BINARY, runBinary } from './binary.js';
import { IMPORT, importFile } from './import.js';
import { STATS, VERIFY, stats, verify } from './look.js';
import { fail, oneLine, out } from './report.js';
import { version } from '../native/version.js';
import { SEARCH, search } from './search.js';

/** A command, and what it ends with when it fails: where 1 says what was found, 2 says that nothing could be found out. */
interface Command {
  usage: Usage;
  run: (told: Told) => Promise<number>;
  failure: number;
}

const COMMANDS: Command[] = [
  { usage: IMPORT, run: importFile, failure: 1 },
  { usage: SEARCH, run: search, failure: 1 },
  { usage: STATS, run: stats, failure: 2 },
  { usage: VERIFY, run: verify, failure: 2 },
];

/** What arguments that cannot be read end with. */
const MISUSED = 2;

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined) {
    fail(`a command is missing\n\n${overview()}`);
    return MISUSED;
  }
  if (name === '--help' || name === '-h' || name === 'help') return told(overview());
  if (name === '--version' || name === '-V') return told(`kithdb ${version()}`);
  const command = COMMANDS.find(({ usage }) => usage.name === name);
  try {
    if (command) return await run(command, args);
    if (Object.hasOwn(OF_THE_BINARY, name)) return await runBinary([name, ...args]);
    throw new UsageError(`there is no command ${JSON.stringify(name)}`);
  } catch (error) {
    const isMisused = error instanceof UsageError;
    fail(isMisused ? `${error.message}; see kithdb ${command ? `${name} ` : ''}--help` : oneLine(error));
    return isMisused ? MISUSED : (command?.failure ?? 1);
  }
}

async function run({ usage, run }: Command, args: string[]): Promise<number> {
  const arguments_ = read(usage, args);
  return arguments_ ? run(arguments_) : told(help(usage));
}

function told(text: string): number {
  out(text);
  return 0;
}

function overview(): string {
  const own = COMMANDS.map(({ usage }): [string, string] => [`  ${usage.name}`, usage.about]);
  const others = Object.entries(OF_THE_BINARY).map(([name, about]): [string, string] => [`  ${name}`, about]);
  const rows = columns([...own, ...others]);
  return [
    'Hybrid search that runs where the data is',
    '',
    'Usage: kithdb <COMMAND>',
    '',
    'Commands:',
    ...rows.slice(0, own.length),
    '',
    "Commands that the server's binary does, when there is one:",
    ...rows.slice(own.length),
    '',
    '`kithdb <COMMAND> --help` says what a command takes.',
  ].join('\n');
}

// Whoever reads may have had enough: `kithdb search ... | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
void main(process.argv.slice(2)).then((code) => (process.exitCode = code));
