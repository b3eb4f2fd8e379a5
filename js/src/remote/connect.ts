// A server's database behind the interface.

import { EngineDatabase } from '../engine/database.js';
import type { Database } from '../types.js';
import { RemoteDatabase } from './backend.js';
import { type ConnectOptions, Http } from './http.js';

export type { ConnectOptions } from './http.js';

/**
 * The database of a server. Nothing is asked before the first verb is: a server that cannot be reached is told by that,
 * as `unreachable`, and so is a collection that is not there.
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Database> {
  return new EngineDatabase(new RemoteDatabase(new Http(url, options)));
}
