// Runs KithDB's Node package or hnswlib-node for the vector benchmarks: `node node.mjs kithdb|hnswlib`. Each opens an
// index that a native process has made. `bench/vectors/runner.mjs` says what requests and answers hold.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** KithDB by `searchSync`, through the whole package. */
class Kith {
  static async open(folder) {
    const { open } = await import('kithdb');
    const db = await open(folder, { read_only: true });
    return new Kith(await db.collection('vectors'));
  }

  constructor(collection) {
    this.collection = collection;
  }

  prepared(queries) {
    return queries;
  }

  found(vector, k, ef) {
    return this.collection.searchSync({ vector, k, ef }).hits.map(({ id }) => id);
  }

  numbers(ids) {
    return ids.map(Number);
  }
}

/** hnswlib-node, which takes arrays of numbers; they are made before the clock starts. */
class Hnswlib {
  static async open(folder, { metric, dim }) {
    const require = createRequire(new URL('../peers/node/package.json', import.meta.url));
    const index = new (require('hnswlib-node').HierarchicalNSW)(metric === 'cosine' ? 'cosine' : 'l2', dim);
    index.readIndexSync(join(folder, 'index'));
    return new Hnswlib(index);
  }

  constructor(index) {
    this.index = index;
  }

  prepared(queries) {
    return queries.map((query) => Array.from(query));
  }

  found(query, k, ef) {
    if (ef !== this.ef) this.index.setEf(ef);
    this.ef = ef;
    return this.index.searchKnn(query, k).neighbors;
  }

  numbers(found) {
    return found;
  }
}

const ENGINES = { kithdb: Kith, hnswlib: Hnswlib };
const engine = ENGINES[process.argv[2]];
let [opened, queries] = [];

const OPS = {
  async load({ data, folder }) {
    const set = JSON.parse(readFileSync(join(data, 'set.json'), 'utf8'));
    opened = await engine.open(folder, set);
    const bytes = readFileSync(join(data, 'queries.f32'));
    const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    queries = opened.prepared(Array.from({ length: set.queries }, (_, i) => numbers.slice(i * set.dim, (i + 1) * set.dim)));
    return {};
  },
  search({ k, ef, ids }) {
    const [start, before] = [performance.now(), process.cpuUsage()];
    const found = queries.map((query) => opened.found(query, k, ef));
    const { user, system } = process.cpuUsage(before);
    const times = { wall_s: (performance.now() - start) / 1000, cpu_s: (user + system) / 1e6 };
    return ids ? { ...times, ids: found.flatMap((one) => opened.numbers(one)) } : times;
  },
  memory: () => ({ resident: process.memoryUsage.rss() }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...request } = JSON.parse(line);
  let answer;
  try {
    answer = await OPS[op](request);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
