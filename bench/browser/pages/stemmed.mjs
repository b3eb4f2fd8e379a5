// MiniSearch with what KithDB does to words: the stems of Snowball's English (porter2) and Lucene's stop words left out. It
// searches as few and as long lists, so that what is left between the two is the engines.

import { OPTIONS } from './saved/text.mjs';
import { bench } from './minisearch.mjs';

const STOP_WORDS = new Set(['a', 'an', 'and', 'are', 'as', 'at', 'be', 'but', 'by', 'for', 'if', 'in', 'into', 'is', 'it', 'no',
  'not', 'of', 'on', 'or', 'such', 'that', 'the', 'their', 'then', 'there', 'these', 'they', 'this', 'to', 'was', 'will', 'with']);

/** The package is CommonJS, which no page can import. */
async function stemmer() {
  const module = { exports: {} };
  const text = await (await fetch('/peers/porter2/dist/index.js')).text();
  new Function('module', 'exports', text)(module, module.exports);
  return module.exports.stem;
}

export default async () => {
  const stem = await stemmer();
  const processTerm = (term) => {
    const word = term.toLowerCase();
    return STOP_WORDS.has(word) ? null : stem(word);
  };
  globalThis.bench = bench({ ...OPTIONS, processTerm });
};
