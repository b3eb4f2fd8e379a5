// A server's database behind the interface.

import { EngineDatabase } from '../engine/database.js';
import { checkEmbed } from '../engine/embed.js';
import type { Database, Embed } from '../types.js';
import { RemoteDatabase } from './backend.js';
import { Http, type HttpOptions } from './http.js';

/** How a server is spoken to. */
export interface ConnectOptions extends HttpOptions {
  /** Gives what comes without a vector one, in all collections that have no embedder of their own. It is called on this side. */
  embed?: Embed | undefined;
}

/**
 * The database of a server. Nothing is asked before the first verb is: a server that cannot be reached is told by that,
 * as `unreachable`, and so is a collection that is not there.
 */
export async function connect(url: string | URL, { embed, ...options }: ConnectOptions = {}): Promise<Database> {
  return new EngineDatabase(new RemoteDatabase(new Http(url, options)), checkEmbed(embed));
}
