// npm start: from a fresh clone to a running server with the demo in it.
//
//   npm start                                  the demo on 127.0.0.1:9091
//   npm start -- --listen 127.0.0.1:9092       another port
//   KITH_DATA=DIR npm start                    another database directory

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { BUILD_NEEDS, buildRelease, serverBinary } from '../lib/build.mjs';
import { dataNeeds, ensureEmbedder, ensureWordnet } from '../lib/data.mjs';
import { ROOT, run } from '../lib/run.mjs';
import { Refusal, main, step } from '../lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../lib/system.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

await main(async (args) => {
  const { values } = parseArgs({ args, options: { listen: { type: 'string', default: '127.0.0.1:9091' } } });
  await refuseTakenAddress(values.listen);
  await ensureSystem([...BUILD_NEEDS, ...dataNeeds()]);
  ensureRust();
  await ensureNpmPackages();
  await buildRelease();
  const data = demoFolder();
  mkdirSync(data, { recursive: true });
  const demo = join(await ensureWordnet(), 'demo.jsonl');
  const embedder = await ensureEmbedder();
  await step(`loading the demo into ${data}`, () => {
    const how = ['--data', data, '--collection', 'wordnet', '--embedder', embedder, '--text-field', 'gloss'];
    return run(serverBinary('release'), ['load', ...how, demo]);
  });
  await serve(['serve', '--data', data, '--listen', values.listen, '--embedder', embedder]);
});

function demoFolder() {
  const shared = process.env.XDG_DATA_HOME || join(homedir(), '.local/share');
  return process.env.KITH_DATA ?? join(shared, 'kithdb', 'demo');
}

/** Asks before the build: being told after two minutes that the port is taken is no fun. */
async function refuseTakenAddress(listen) {
  const [, host, port] = /^(.+):(\d+)$/.exec(listen) ?? [];
  if (!port) throw new Refusal(`--listen wants an address and a port, such as 127.0.0.1:9091; got ${listen}`);
  const taken = await new Promise((answer) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port: Number(port) });
    socket.on('connect', () => { socket.destroy(); answer(true); });
    socket.on('error', () => answer(false));
  });
  if (!taken) return;
  const other = `${host}:${Number(port) + 1}`;
  throw new Refusal(
    `Something listens on ${listen} already, perhaps an earlier npm start: stop it, or choose another\n` +
    `address and database:\n\n  KITH_DATA=~/kithdb-demo-2 npm start -- --listen ${other}`,
  );
}

/**
 * Runs the server until it ends; signals sent to this process are for it. A terminal's Ctrl-C reaches both
 * already: passing it on would interrupt the server twice, while it writes its last bytes.
 */
async function serve(args) {
  const child = spawn(serverBinary('release'), args, { cwd: ROOT, stdio: 'inherit' });
  const passOn = (signal) => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, () => passOn(signal));
  const [code, signal] = await new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (...how) => done(how));
  });
  const asked = SIGNALS.includes(signal);
  if (code !== 0 && !asked) throw new Refusal(`the server stopped (${code ?? signal})`);
}
