// The script of a Worker in which the engine runs: opens the database that the page names, and answers its calls.

import { pause } from '../engine/pause.js';
import { type HereOptions, openHere } from '../here.js';
import { portLink } from '../rpc/link.js';
import { Server } from '../rpc/server.js';
import { Doer } from '../rpc/verbs.js';
import { VERSION } from '../rpc/version.js';
import { hold } from '../wasm/locks.js';
import { otherBuild } from './errors.js';

/** What the page sends first. */
export interface Start {
  kithdb: 'open';
  /** That of the messages, as the page speaks them. */
  version: number;
  /** None for a database in memory. */
  name: string | undefined;
  options: HereOptions;
  /** The lock that is held for as long as this Worker lives. */
  life: string;
  /** Over which everything else goes. */
  port: MessagePort;
}

globalThis.addEventListener('message', ({ data }: MessageEvent) => {
  if (data?.kithdb === 'open') serve(data as Start);
});

function serve({ version, name, options, life, port }: Start): void {
  const alive = globalThis.navigator?.locks ? hold(life, {}).catch(() => undefined) : Promise.resolve();
  const opening = alive.then(() => {
    if (version !== VERSION) throw otherBuild('page', version);
    return openHere(name, options);
  });
  const doing = opening.then((database) => new Doer(database));
  doing.catch(() => {}); // Whoever asks is told.
  new Server(portLink(port), async (asked, call) => {
    switch (asked.verb) {
      case 'begin':
        await alive;
        return VERSION;
      case 'open':
        await opening;
        return undefined;
      case 'close':
        await (await opening).close();
        // What was stored before that is answered before it, also where a job had its turn.
        await pause();
        return undefined;
      default:
        return (await doing).do(asked, call);
    }
  });
}
