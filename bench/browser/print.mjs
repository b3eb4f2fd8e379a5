// Prints what the browser benchmark measured as tables.

import { timeAt } from './numbers.mjs';

const RECALLS = [0.9, 0.95, 0.98, 0.99];

/** Prints all parts that were measured. */
export function print(result) {
  const { documents, questions, rounds, machine, cores, load } = result;
  console.log(`\n${documents} glosses of WordNet, 256 dimensions, ${questions} questions, top 10, median of ${rounds} rounds`);
  console.log(`${machine}, ${cores} cores; ${result.browser}; load ${load.map((x) => x.toFixed(1)).join(' to ')}`);
  if (result.cold) printCold(result.cold);
  if (result.saved) printSaved(result.saved);
  if (result.reopen) printReopen(result.reopen);
  if (result.vectors) printVectors(result.vectors);
  if (result.words) printWords(result.words);
  if (result.hybrid) printHybrid(result.hybrid);
  if (result.glove) printGlove(result.glove);
}

/** What engines are called. */
export const NAMES = {
  kith: 'KithDB', 'kith-vectors': 'KithDB, vectors', 'kith-words': 'KithDB, words', hnswlib: 'hnswlib-wasm',
  'hnswlib-bare': 'hnswlib-wasm, no file system', minisearch: 'MiniSearch',
  stemmed: 'MiniSearch, stems and stop words', 'orama-words': 'Orama, words',
  'kith-both': 'KithDB, words and vectors', 'orama-both': 'Orama, words and vectors', edgevec: 'edgevec', 'kith-rows': 'KithDB', raw: 'its bytes, read alone',
};

function printCold(cold) {
  const files = ({ files, raw, gz }) => (files ? `${files}: ${kib(raw)} / ${kib(gz)}` : '-');
  table('Size (files: KiB raw / gz) and cold start', ['', 'module', 'JavaScript', 'all', 'ms from navigation', 'spread'],
    Object.entries(cold).map(([name, { ms, module, js, all }]) =>
      [NAMES[name], files(module), files(js), files(all), ms.median.toFixed(0), ms.spread.toFixed(2)]));
  console.log('hnswlib-wasm carries its module in its JavaScript, as base64; its loader waits 100 ms for its file system.');
}

function printSaved(saved) {
  printOpenings('A saved database, after the browser was started again', saved);
  for (const [ours, theirs] of [['kith-words', 'minisearch'], ['kith-words', 'orama-words'], ['kith-both', 'orama-both']]) {
    console.log(`${NAMES[ours]} / ${NAMES[theirs]}: ${ratio(saved[ours].open_ms, saved[theirs].open_ms)}`);
  }
}

function printReopen(reopen) {
  printOpenings('100,000 vectors of 128 dimensions, after the browser was started again', reopen);
  console.log(`${mib(reopen.raw.bytes)} MiB are stored; KithDB / its bytes: ${ratio(reopen['kith-rows'].open_ms, reopen.raw.open_ms)}`);
}

const ratio = (ours, theirs) => (ours.median / theirs.median).toFixed(2);

function printOpenings(title, saved) {
  const head = ['', 'ms to build and save', 'ms from navigation to an answer', 'of these, to open and search', 'spread', 'wasm MiB'];
  table(title, head, Object.entries(saved).map(([name, { save_ms, from_navigation_ms, open_ms, wasm_bytes }]) => [
    NAMES[name], text(save_ms), from_navigation_ms.median.toFixed(0), open_ms.median.toFixed(0),
    open_ms.spread.toFixed(2), wasm_bytes ? mib(wasm_bytes) : '-',
  ]));
}

function printVectors({ kith, hnswlib, ...others }) {
  printBuilds({ kith, hnswlib, ...others });
  const line = (name, point) => [name, `${point.ef ?? ''}`, point.recall.toFixed(4), ...speed(point)];
  table('Vectors, cosine, M 16, efConstruction 200', ['', 'ef', 'recall', 'p50 us', 'p95 us', 'QPS', 'spread'], [
    ...kith.points.map((point) => line('KithDB', point)),
    line('KithDB, no ef given', kith.default),
    line('KithDB, exact', kith.exact),
    line('KithDB, no ef, search()', { recall: kith.default.recall, ...kith.async }),
    ...hnswlib.points.map((point) => line('hnswlib-wasm', point)),
    ...Object.entries(others).flatMap(([name, { points }]) => points.map((point) => line(NAMES[name], point))),
  ]);
  console.log(`${(kith.in_module * 100).toFixed(0)} % of searchSync without ef is inside the module`);
  for (const of of ['p50_us', 'mean_us']) {
    table(`${of} at equal recall, interpolated between the nearest ef; "<" where the least ef finds more`,
      ['recall', 'KithDB', 'hnswlib-wasm', 'times as quick'],
      RECALLS.map((recall) => equalRecall(recall, timeAt(recall, kith.points, of), timeAt(recall, hnswlib.points, of))));
  }
}

function equalRecall(recall, ours, theirs) {
  const time = (at) => (at ? `${at.atMost ? '<' : ''}${at.us.toFixed(0)}` : 'not reached');
  // Theirs may be quicker than what was measured of them: then nothing can be said.
  const ratio = ours && theirs && !theirs.atMost ? `${ours.atMost ? '>' : ''}${(theirs.us / ours.us).toFixed(2)}` : '-';
  return [`${recall}`, time(ours), time(theirs), ratio];
}

function printWords({ kith, minisearch, stemmed }) {
  printBuilds({ kith, minisearch, stemmed });
  table('Words, 2 to 4 a question', ['', 'p50 us', 'p95 us', 'QPS', 'spread'], [
    ['KithDB', ...speed(kith)], ['KithDB, search()', ...speed(kith.async)], [NAMES.minisearch, ...speed(minisearch)],
    [NAMES.stemmed, ...speed(stemmed)],
  ]);
  console.log(`${(kith.in_module * 100).toFixed(0)} % of searchSync is inside the module`);
  console.log('KithDB stems and drops stop words, MiniSearch by itself does neither.');
  console.log(`Of 10 results ${minisearch.common_of_10.toFixed(1)} are common; with stems and stop words ${stemmed.common_of_10.toFixed(1)}.`);
  console.log('Both rank by BM25 over any of the words; MiniSearch by its own variant, BM25+, times how many of the words it found.');
}

function printHybrid(hybrid) {
  printBuilds({ kith: hybrid });
  table('Words and vectors, whole glosses, embedded in the page', ['', 'p50 us', 'p95 us', 'QPS', 'spread'],
    [['KithDB', ...speed(hybrid)], ['KithDB, search()', ...speed(hybrid.async)]]);
  console.log(`${(hybrid.in_module * 100).toFixed(0)} % of searchSync is inside the module`);
}

function printGlove({ native, engines, threads }) {
  console.log('\n20,000 word vectors of 100 dimensions, 1,000 questions');
  printVectors(engines);
  table('In the browser and native, one thread, p50 us', ['ef', 'recall', 'browser', 'native', 'native / browser'],
    engines.kith.points.map(({ ef, recall, p50_us }, i) => [
      `${ef}`, recall.toFixed(4), p50_us.toFixed(0), native[i].p50_us.toFixed(0), (native[i].p50_us / p50_us).toFixed(2),
    ]));
  table('Sealing and indexing in a Worker', ['threads', 'ms', 'spread', 'times as quick'], threads.map(({ threads: count, median, spread }) =>
    [`${count}`, median.toFixed(0), spread.toFixed(2), (threads[0].median / median).toFixed(2)]));
}

function printBuilds(engines) {
  table('Build in memory', ['', 'ms', 'spread', 'of it write', 'seal and index', 'wasm MiB', 'JavaScript heap MiB'],
    Object.entries(engines).map(([name, of]) => [
      NAMES[name], of.build_ms.median.toFixed(0), of.build_ms.spread.toFixed(2), text(of.write_ms), text(of.settle_ms),
      of.wasm_bytes ? mib(of.wasm_bytes) : '-', mib(of.js_bytes),
    ]));
}

const speed = ({ p50_us, p95_us, qps, spread }) => [p50_us.toFixed(0), p95_us.toFixed(0), qps.toFixed(0), spread.toFixed(2)];
const kib = (bytes) => (bytes / 1024).toFixed(0);
const mib = (bytes) => (bytes / 1024 ** 2).toFixed(1);
const text = (x) => (x === undefined ? '-' : x.toFixed(0));

/** Columns as wide as they must be; the first to the left, numbers to the right. */
function table(title, head, rows) {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
  const line = (row) => `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`;
  console.log(`\n${title}\n${[head, ...rows].map(line).join('\n')}`);
}
