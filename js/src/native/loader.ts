// Finds the addon that fits this machine: the one that was built in this folder, else that of the machine's package.

import { KithError } from '../errors.js';
import { type Machine, packageFor } from './platform.js';

/** Where a build in the repository puts it, and a package of one machine alone has it. */
const BUILT = '../../kithdb.node';

/** What is loaded, and of which version the package is. */
export interface Loading {
  machine: Machine;
  /** The version of this package. */
  version: string;
  /** Node's `require`. */
  load: (path: string) => unknown;
}

/** The addon; `addon_not_loaded` where there is none, or where it cannot be loaded. */
export function loadAddon<Addon>({ machine, version, load }: Loading): Addon {
  const name = `${machine.platform}-${machine.arch}`;
  const fitting = packageFor(machine);
  try {
    return load(BUILT) as Addon;
  } catch (error) {
    if (!isMissing(error)) throw notLoaded(`the addon for ${name} cannot be loaded: ${(error as Error).message}`, error);
  }
  if (!fitting) throw notLoaded(`there is no addon for ${name}`);
  const found = versionOf(fitting.name, load);
  if (found === undefined && machine.isMusl()) throw notLoaded(`there is no addon for ${name} with musl`);
  if (found === undefined) throw notLoaded(`the addon for ${name} is missing: ${fitting.name} is not installed`);
  if (found !== version) throw notLoaded(`${fitting.name} is of version ${found}, and kithdb of version ${version}`);
  try {
    return load(fitting.name) as Addon;
  } catch (error) {
    throw notLoaded(`${fitting.name} cannot be loaded: ${(error as Error).message}`, error);
  }
}

function versionOf(name: string, load: (path: string) => unknown): string | undefined {
  try {
    return (load(`${name}/package.json`) as { version: string }).version;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'MODULE_NOT_FOUND';
}

function notLoaded(message: string, cause?: unknown): KithError {
  const hint = 'install kithdb on this machine with its optional dependencies; without the addon openMemory keeps data in memory, and connect asks a server';
  return new KithError({ code: 'addon_not_loaded', message, hint }, cause);
}
