// What connections cost, on a real server: 10,000 that are idle between requests take at most 20 KiB of memory each and are all
// served again; 2,000 clients that are slow to send the head of a request and 2,000 that are slow to send a body are all
// closed within 15 seconds, and others are served meanwhile. KITH_SERVER names the server; else one is built. Wants
// 15,000 files that a process may have open (`ulimit -n`), of which Linux' limit is taken up to the hard one by itself.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { serving } from '../../.ci/lib/kektordb.mjs';
import { Refusal, main, step } from '../../.ci/lib/say.mjs';

const IDLE = 10_000;
const SLOW = 2_000;
const BYTES_MAX = 20 << 10;
const CLOSED_WITHIN = 15_000;
/** So many are opened or asked at once: what is measured is what they hold, not how fast they come. */
const AT_ONCE = 200;
/** A client asks again after so long. */
const WARM_FOR = 30_000;
const FILES = IDLE + 2 * SLOW + 1_000;

/** A connection that is kept. */
class Client {
  constructor(socket, port) {
    this.socket = socket;
    this.port = port;
    this.asked = 0;
  }

  /** One that was served once. */
  static async served(port, path) {
    const socket = connect(port, '127.0.0.1');
    const client = new Client(socket, port);
    await client.ask(path);
    return client;
  }

  /** Asks, and waits for the end of the answer's head and what came with it. */
  ask(path = '/healthz') {
    this.asked = performance.now();
    return new Promise((done, failed) => {
      let text = '';
      const lost = () => failed(new Refusal(`a connection was closed after ${JSON.stringify(text)}`));
      if (this.socket.destroyed) lost();
      const take = (piece) => {
        text += piece;
        const [head, body] = text.split('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        if (body === undefined || Buffer.byteLength(body) < length) return;
        this.socket.off('data', take).off('close', lost);
        if (text.startsWith('HTTP/1.1 200 ')) done();
        else failed(new Refusal(`a client was refused: ${text}`));
      };
      this.socket.setEncoding('utf8').on('data', take).once('close', lost).once('error', failed);
      this.socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.port}\r\n\r\n`);
    });
  }

  end() {
    this.socket.destroy();
  }
}

await main(async () => {
  const files = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).replace('unlimited', 'Infinity'));
  if (files < FILES) throw new Refusal(`this wants ${FILES} open files; the hard limit is ${files} (ulimit -Hn)`);
  await serving(async (port, pid) => {
    const each = await step(`${IDLE} idle connections`, () => idle(port, pid));
    const slowest = await step(`${2 * SLOW} slow clients`, () => slow(port));
    console.log(`counted: connections idle=${IDLE} slow=${2 * SLOW}`);
    console.log(`bytes of an idle connection: ${each}; the last slow client was closed after ${slowest} ms`);
  }, { KITH_SLOW_REQUEST: '60000' });
});

/** Bytes of memory that each idle connection takes. */
async function idle(port, pid) {
  // What the first requests make is there from then on, and no connection's.
  const early = await inTurns(Array.from({ length: AT_ONCE }), () => Client.served(port));
  early.forEach((client) => client.end());
  await sleep(1_000);
  const before = resident(pid);
  const clients = [];
  while (clients.length < IDLE) {
    clients.push(...await inTurns(Array.from({ length: AT_ONCE }), () => Client.served(port)));
    // The server closes who is idle for 75 s, which is soon over on a busy machine.
    const due = clients.filter(({ asked }) => performance.now() - asked > WARM_FOR);
    await inTurns(due, (client) => client.ask());
  }
  await sleep(1_000);
  const each = Math.round((resident(pid) - before) / IDLE);
  await inTurns(clients, (client) => client.ask());
  clients.forEach((client) => client.end());
  if (each > BYTES_MAX) throw new Refusal(`an idle connection takes ${each} bytes, at most ${BYTES_MAX}`);
  return each;
}

/** After how many milliseconds the last of the slow clients was closed. */
async function slow(port) {
  const head = `POST /v1/collections HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
  const body = `${head}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{`;
  const kinds = [...Array.from({ length: SLOW }, () => head), ...Array.from({ length: SLOW }, () => body)];
  const dribbling = inTurns(kinds, (first) => dribble(port, first));
  const took = [];
  let open = true;
  const watching = (async () => {
    while (open) {
      const begin = performance.now();
      const client = await Client.served(port, '/v1/kv');
      took.push(performance.now() - begin);
      client.end();
      await sleep(20);
    }
  })();
  const closed = await Promise.all((await dribbling).map(({ closed }) => closed));
  open = false;
  await watching;
  const slowest = Math.round(Math.max(...closed));
  took.sort((a, b) => a - b);
  const at = (share) => `${Math.round(took[Math.floor(share * (took.length - 1))])} ms`;
  console.log(`${took.length} others were served meanwhile: median ${at(0.5)}, 99 of 100 within ${at(0.99)}`);
  if (slowest > CLOSED_WITHIN) throw new Refusal(`a slow client was closed after ${slowest} ms, at most ${CLOSED_WITHIN}`);
  return slowest;
}

/** Sends a beginning and then a byte a second; `closed` tells after how many milliseconds the server had enough. */
function dribble(port, first) {
  return new Promise((begun, failed) => {
    const socket = connect(port, '127.0.0.1', () => {
      const since = performance.now();
      socket.write(first);
      socket.resume();
      const timer = setInterval(() => socket.write('a'), 1_000);
      const closed = new Promise((told) => {
        const end = () => {
          clearInterval(timer);
          socket.destroy();
          told(performance.now() - since);
        };
        socket.once('end', end).once('close', end).on('error', end);
      });
      begun({ closed });
    });
    socket.once('error', failed);
  });
}

/** Does something with each, some at a time; answers what came of it, in order. */
async function inTurns(all, work) {
  const done = [];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    done.push(...await Promise.all(all.slice(at, at + AT_ONCE).map(work)));
  }
  return done;
}

/** Bytes that a process holds and no file backs. */
function resident(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)[1]) * 1_024;
}
