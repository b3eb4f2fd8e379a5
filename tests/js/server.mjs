// A server process for tests: the binary that `npm test` builds, on a free port.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { serverBinary } from '../../.ci/lib/build.mjs';

/** Starts a server on a directory and waits for its address. */
export async function startServer(data, ...more) {
  const binary = process.env.KITH_SERVER ?? serverBinary('debug');
  const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--data', data, ...more]);
  let printed = '';
  child.stderr.on('data', (text) => (printed += text));
  const ended = new Promise((done) => child.on('close', done));
  const lines = createInterface({ input: child.stdout });
  const address = await new Promise((found, failed) => {
    child.on('error', failed);
    lines.on('line', (line) => {
      const [url] = /http:\/\/\S+/.exec(line) ?? [];
      if (url) found(url.replace(/\/$/, ''));
    });
    ended.then(() => failed(new Error(`the server ended: ${printed}`)));
  });
  const end = (signal) => {
    child.kill(signal);
    return ended;
  };
  return { address, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}
