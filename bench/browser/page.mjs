// Writes what the parts `glove`, `words`, `saved` and `reopen` measured into docs/BENCHMARKS.md: the browser beside its peers,
// native KithDB and two threads.

import { readFileSync, writeFileSync } from 'node:fs';

import { PAGE, markdown, replaced } from '../vectors/page.mjs';
import { RECALLS } from '../vectors/measure.mjs';
import { timeAt } from './numbers.mjs';
import { NAMES } from './print.mjs';

/** Replaces the section of the browser. */
export function writeBrowser(result) {
  writeFileSync(PAGE, replaced(readFileSync(PAGE, 'utf8'), 'browser', browserSection(result)));
}

/** The Markdown of these parts. */
export function browserSection({ glove, words, saved, reopen, documents, questions, rounds, machine, cores, browser, revision }) {
  const { kith, hnswlib, edgevec } = glove.engines;
  const about = [
    '20,000 vectors of 100 dimensions, cosine, 1,000 queries, top 10; the middle query, in microseconds.',
    `M 16, efConstruction 200, median of ${rounds} rounds; revision ${revision}.`,
    `${machine}, ${cores} cores; ${browser}; slowest round ${spread(glove.engines).toFixed(2)} times the quickest.`,
  ];
  const us = (at) => (at ? `${at.atMost ? '< ' : ''}${at.us.toFixed(0)}` : '-');
  const speeds = RECALLS.map((recall) => {
    const [ours, theirs] = [timeAt(recall, kith.points, 'p50_us'), timeAt(recall, hnswlib.points, 'p50_us')];
    const ratio = ours && theirs && !theirs.atMost ? `${ours.atMost ? '> ' : ''}${(theirs.us / ours.us).toFixed(2)}` : '-';
    return [`${recall}`, us(ours), us(theirs), ratio];
  });
  const own = kith.points.map(({ ef, recall, p50_us }, i) => {
    const native = glove.native[i].p50_us;
    return [`${ef}`, recall.toFixed(4), p50_us.toFixed(0), native.toFixed(0), (native / p50_us).toFixed(2)];
  });
  const builds = Object.entries({ KithDB: kith, 'hnswlib-wasm': hnswlib, edgevec }).filter(([, of]) => of);
  const parts = [
    ['At equal recall', ['recall', 'KithDB', 'hnswlib-wasm', 'times as quick'], speeds],
    ['The same index in the browser and native', ['ef', 'recall', 'browser', 'native', 'native / browser'], own],
    ['Build in memory', ['', 'ms', 'wasm MiB'], builds.map(([name, of]) =>
      [name, of.build_ms.median.toFixed(0), (of.wasm_bytes / 1024 ** 2).toFixed(1)])],
    ['Sealing and indexing in a Worker', ['threads', 'ms', 'times as quick'], glove.threads.map(({ threads, median }) =>
      [`${threads}`, median.toFixed(0), (glove.threads[0].median / median).toFixed(2)])],
    [
      `Words: ${questions} questions of 2 to 4, ${documents.toLocaleString('en')} glosses of WordNet`,
      ['', 'us', 'to KithDB', 'of 10 results common'],
      Object.entries({ KithDB: words.kith, MiniSearch: words.minisearch, 'MiniSearch, stems and stop words': words.stemmed })
        .map(([name, of]) => [name, of.p50_us.toFixed(0), (of.p50_us / words.kith.p50_us).toFixed(2), of.common_of_10?.toFixed(1) ?? '-']),
    ],
  ];
  parts.push(
    [
      `Opening what was saved, after the browser was started again: ${documents.toLocaleString('en')} glosses`,
      ['', 'ms', 'to KithDB', 'ms from navigation'],
      SAVED.flatMap(([ours, ...theirs]) => [ours, ...theirs].map((name) => opening(saved, ours, name))),
    ],
    [
      `The same of 100,000 vectors of 128 dimensions, ${(reopen.raw.bytes / 1024 ** 2).toFixed(0)} MiB`,
      ['', 'ms', 'to KithDB', 'ms from navigation'],
      ['kith-rows', 'raw'].map((name) => opening(reopen, 'kith-rows', name)),
    ],
  );
  if (edgevec) {
    const [{ ef, recall, p50_us }] = edgevec.points;
    about.push(`edgevec at its one setting, ef ${ef}: recall ${recall.toFixed(4)}, ${p50_us.toFixed(0)} microseconds.`);
  }
  return `\n${about.join('\n')}\n\n${parts.map(([title, head, rows]) => `**${title}**\n\n${markdown(head, rows)}`).join('\n')}\n`;
}

/** What is opened, beside what. */
const SAVED = [['kith-vectors', 'hnswlib'], ['kith-words', 'minisearch', 'orama-words'], ['kith-both', 'orama-both']];

function opening(measured, ours, name) {
  const { open_ms: { median }, from_navigation_ms } = measured[name];
  const ratio = median / measured[ours].open_ms.median;
  return [NAMES[name], median.toFixed(0), ratio.toFixed(2), from_navigation_ms.median.toFixed(0)];
}

function spread({ kith, hnswlib }) {
  const all = [...kith.points, ...hnswlib.points].map((point) => point.spread).toSorted((a, b) => a - b);
  return all[Math.floor(all.length / 2)];
}
