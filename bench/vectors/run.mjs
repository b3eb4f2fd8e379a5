// Runs the benchmark of a data set from its data to its figures. The programs of bench/ that call it say which engines
// and settings.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { cacheFolder } from '../../.ci/lib/data.mjs';
import { Refusal, main } from '../../.ci/lib/say.mjs';
import { ENGINES, PARAMETERS, ensureIndex } from './engines.mjs';
import { RECALLS, load, measureCurves, qpsAt, ratioAt, readTruth } from './measure.mjs';
import { writePage } from './page.mjs';
import { print } from './print.mjs';
import { revision } from './revision.mjs';
import { cores } from './runner.mjs';
import { ensureSet } from './sets.mjs';

const ROUNDS = 5;
/** Filters accept so many of 1000 documents. */
const FILTERS = [500, 100, 10, 1];
/** The last of so many documents is deleted. */
const DELETE = 100;
const FILTER_EFS = [32, 64, 128, 256, 512];

/**
 * `efs`: which settings are measured; `engines`: against what by default, `others` with `--all`; `parts`: what is
 * measured beside the curves, of `filters`, `node` and `threads`.
 */
export async function benchmark(name, plan) {
  await main(async (args) => {
    const options = parse(args, plan);
    const set = await ensureSet(name);
    for (const key of options.engines) await ENGINES[key].prepare?.();
    const result = await measureSet(set, plan, options);
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else print(result);
    if (options.page) await writePage(result);
  });
}

function parse(args, plan) {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      rebuild: { type: 'boolean', default: false },
      'no-page': { type: 'boolean', default: false },
      only: { type: 'string' },
      ef: { type: 'string' },
      rounds: { type: 'string' },
    },
  });
  const engines = values.only?.split(',') ?? [...plan.engines, ...(values.all ? plan.others ?? [] : [])];
  const unknown = engines.filter((key) => !(key in ENGINES));
  if (unknown.length > 0) throw new Refusal(`unknown engine: ${unknown}; there are ${Object.keys(ENGINES).join(', ')}`);
  const absent = engines.filter((key) => ENGINES[key].cannot?.());
  for (const key of absent) {
    const why = `${ENGINES[key].name} is left out: ${ENGINES[key].cannot()}`;
    if (values.only) throw new Refusal(why);
    if (!values.json) console.log(`${why}. docs/BENCHMARKS.md keeps the figures with it`);
  }
  const isWhole = !values.only && !values.ef && !values.rounds && absent.length === 0;
  return {
    ...values,
    engines: engines.filter((key) => !absent.includes(key)),
    efs: values.ef?.split(',').map(Number) ?? plan.efs,
    rounds: Number(values.rounds ?? plan.rounds ?? ROUNDS),
    page: plan.page !== false && isWhole && !values['no-page'],
  };
}

async function measureSet(set, plan, options) {
  const indexOf = (key) => ENGINES[key].index ?? key;
  const indexes = {};
  for (const key of new Set(options.engines.map(indexOf))) indexes[key] = await ensureIndex(key, set, options);
  const engines = Object.fromEntries(options.engines.map((key) => {
    const { name, version } = ENGINES[key];
    return [key, { name, version: version(), built: indexes[key]?.built }];
  }));
  const has = (part) => (plan.parts ?? []).includes(part);
  if (has('threads') && engines.kithdb) await measureThreads(engines.kithdb, set, options);

  const runners = {};
  try {
    for (const key of options.engines) {
      runners[key] = await ENGINES[key].start();
      await runners[key].ask({ op: 'load', data: set.folder, folder: indexes[indexOf(key)].folder });
    }
    const { queries } = set;
    const truths = { truth: readTruth(set.folder, 'truth', queries) };
    const note = (text) => { if (!options.json) console.log(text); };
    const { efs, rounds } = options;
    note(`… searching ${set.name} with ${options.engines.map((key) => ENGINES[key].name).join(', ')}`);
    const curves = Object.fromEntries(Object.entries(runners).map(([key, runner]) => [key, { runner }]));
    const points = await measureCurves(curves, { efs, rounds, truths, note });
    for (const key of options.engines) {
      Object.assign(engines[key], { memory: await runners[key].ask({ op: 'memory' }), points: points[key] });
    }
    const more = has('filters') && runners.kithdb;
    const filters = more && await measureFilters(runners.kithdb, indexes.kithdb.folder, set, { ...options, truths, note });
    return summary(set, options, engines, points, filters);
  } finally {
    for (const runner of Object.values(runners)) await runner.stop();
  }
}

/** Builds on two threads beside one, where there are two cores. */
async function measureThreads(engine, set, options) {
  if (cores().length < 2) return;
  const two = await ensureIndex('kithdb', set, { ...options, threads: 2 });
  engine.built_on_two = two.built;
}

/** Searches of KithDB among some of its documents: those that a filter accepts, or those that are not deleted. */
async function measureFilters(runner, folder, set, { rounds, truths, note }) {
  const all = { ...truths, live: readTruth(set.folder, 'truth', set.queries, (id) => id % DELETE !== DELETE - 1) };
  const copy = mkdtempSync(join(cacheFolder(), 'tmp-'));
  const deleted = await ENGINES.kithdb.start();
  try {
    cpSync(folder, copy, { recursive: true });
    await deleted.ask({ op: 'load', data: set.folder, folder: copy, delete: DELETE });
    return await measureAmong(runner, deleted, all, set, { rounds, note });
  } finally {
    await deleted.stop();
    rmSync(copy, { recursive: true, force: true });
  }
}

async function measureAmong(runner, deleted, all, set, { rounds, note }) {
  const curves = { all: { runner }, live: { runner: deleted, truth: 'live' } };
  for (const below of FILTERS) {
    all[`below-${below}`] = readTruth(set.folder, `below-${below}`, set.queries);
    curves[below] = { runner, request: { below }, truth: `below-${below}` };
  }
  note('… searching with filters');
  const points = await measureCurves(curves, { efs: FILTER_EFS, rounds, truths: all, note });
  const row = (name, what) => ({
    what, points: points[name], qps: qpsAt(0.95, points[name]), ratio: ratioAt(0.95, points[name], points.all),
  });
  return [row('live', `all but 1/${DELETE}, deleted`), ...FILTERS.map((below) => row(below, `1/${1000 / below}, by a filter`))];
}

function summary(set, options, engines, points, filters) {
  const peers = Object.keys(points).filter((key) => !key.startsWith('kithdb'));
  const at = RECALLS.map((recall) => {
    const qps = Object.fromEntries(Object.keys(points).map((key) => [key, qpsAt(recall, points[key])]));
    const reached = peers.filter((key) => qps[key]);
    const best = reached.toSorted((a, b) => qps[b].qps - qps[a].qps)[0];
    const ours = points.kithdb;
    return {
      recall,
      qps,
      to_hnswlib: ours && points.hnswlib && ratioAt(recall, ours, points.hnswlib),
      best,
      to_best: ours && best && ratioAt(recall, ours, points[best]),
    };
  });
  const { name, metric, count, dim, queries, from } = set;
  return {
    set: { name, metric, count, dim, queries, from },
    parameters: PARAMETERS,
    rounds: options.rounds,
    machine: { processor: cpus()[0].model, cores: cpus().length, ...load(points) },
    revision: revision(),
    engines,
    at,
    filters,
    node: nodeRatio(points),
  };
}

/** `searchSync` from Node beside the same call from Rust, at the first setting with a recall of 0.95. */
function nodeRatio({ kithdb, 'kithdb-node': node }) {
  const at = kithdb?.findIndex(({ recall }) => recall >= 0.95) ?? -1;
  return at < 0 || !node ? undefined : { ef: kithdb[at].ef, ratio: kithdb[at].us / node[at].us };
}
