// An engine in a process of its own, which does one thing at a time: requests are lines of JSON on its stdin, answers
// lines on its stdout. A request is
//
//   {"op": "build", "data", "folder", "m", "ef_construction", "threads",   makes an index in an empty folder: wall_s, cpu_s;
//    "codes"?}                                                             KithDB's has these codes
//   {"op": "load", "data", "folder", "delete"?}                            opens it and the queries, on one thread; KithDB's
//                                                                          deletes the last of every `delete` documents
//   {"op": "search", "k", "ef", "ids"?, "below"?, "exact"?, "rerank"?}     asks every query once: wall_s, cpu_s, and with
//                                                                          `ids` what was found, query after query;
//                                                                          KithDB's also answers p50_us
//   {"op": "codes", "data", "k", "efs"}                                   KithDB's: for each stored form and kind of codes
//                                                                          name, bytes, cpu_s, and ids of each width
//   {"op": "memory"}                                                       bytes of the index; resident, of the process
//
// with folders as paths. An answer that has `error` says why there is no other.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { output } from '../../.ci/lib/run.mjs';

/** The cores that this process may use. */
export function cores() {
  let list = '';
  try {
    list = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  } catch {
    return []; // not Linux: nothing is pinned
  }
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

const CAN_PIN = output('taskset', ['--version']) !== undefined;

/** Starts a runner on the last of the cores, or on as many of the last as it is given. */
export function start(name, [program, ...args], env = {}, threads = 1) {
  const chosen = cores().slice(-threads).join(',');
  const [command, ...rest] = CAN_PIN && chosen ? ['taskset', '-c', chosen, program, ...args] : [program, ...args];
  // Libraries that have a pool of their own are held to what was asked for.
  const threaded = { OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` };
  const child = spawn(command, rest, { env: { ...process.env, ...threaded, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { said = (said + text).slice(-2000); });
  const ended = new Promise((done) => { child.on('error', done); child.on('close', done); });
  child.stdin.on('error', () => {}); // who has ended is reported by the missing answer
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${name} ended (${await ended}) at ${JSON.stringify(request)}\n${said}`);
      const answer = JSON.parse(value);
      if (answer.error) throw new Error(`${name}: ${answer.error} at ${JSON.stringify(request)}\n${said}`);
      return answer;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
