// What a command is told, and its help: named and written as those of the server's binary are.

import { type ParseArgsConfig, parseArgs } from 'node:util';

/** An option of a command. */
export interface Option {
  /** What stands behind it; left out for one that stands alone. */
  value?: string;
  /** In one line. */
  about: string;
}

/** What a command takes. */
export interface Usage {
  name: string;
  about: string;
  options: Record<string, Option>;
  /** What stands without a name, in its order. */
  values: { name: string; about: string; isOptional?: boolean }[];
}

/** What a command was told. */
export interface Told {
  /** The value of an option. */
  text(name: string): string | undefined;
  /** Whether an option that stands alone is there. */
  has(name: string): boolean;
  /** What stands without a name. */
  values: string[];
}

/** Arguments that cannot be read. */
export class UsageError extends Error {}

const HELP: Option = { about: 'Print help' };

/** Reads the arguments of a command; nothing when help was asked for. */
export function read(usage: Usage, args: string[]): Told | undefined {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { value }] of Object.entries(usage.options)) options[name] = { type: value ? 'string' : 'boolean' };
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  const missing = usage.values.find(({ isOptional }, i) => !isOptional && positionals[i] === undefined);
  if (missing) throw new UsageError(`${missing.name} is missing`);
  const extra = positionals[usage.values.length];
  if (extra !== undefined) throw new UsageError(`${JSON.stringify(extra)} is not expected`);
  return {
    text: (name) => values[name] as string | undefined,
    has: (name) => values[name] === true,
    values: positionals,
  };
}

/** The value of an option that has to be there. */
export function needed(told: Told, name: string): string {
  const value = told.text(name);
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

/** A whole number above 0. */
export function count(told: Told, name: string): number | undefined {
  const text = told.text(name);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--${name} is a whole number above 0, not ${JSON.stringify(text)}`);
  return Number(text);
}

/** The help of a command. */
export function help(usage: Usage): string {
  const values = usage.values.map(({ name, isOptional }) => (isOptional ? `[${name}]` : `<${name}>`));
  const rows: [string, string][] = usage.values.map(({ about }, i) => [`  ${values[i]}`, about]);
  const options = Object.entries({ ...usage.options, help: HELP }).map(
    ([name, { value, about }]): [string, string] => [`  --${name}${value ? ` <${value}>` : ''}`, about],
  );
  const lines = [usage.about, '', `Usage: kithdb ${usage.name} [OPTIONS] ${values.join(' ')}`.trimEnd(), ''];
  if (rows.length > 0) lines.push('Arguments:', ...columns(rows), '');
  return [...lines, 'Options:', ...columns(options)].join('\n');
}

/** Two columns. */
export function columns(rows: [string, string][]): string[] {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `${first.padEnd(width)}  ${second}`);
}
