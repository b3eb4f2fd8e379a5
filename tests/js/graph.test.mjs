// The examples of docs/GRAPH.md answer what stands behind them.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { openMemory } from 'kithdb';

import { cacheFolder } from '../../.ci/lib/data.mjs';

const page = readFileSync(new URL('../../docs/GRAPH.md', import.meta.url), 'utf8');
const WORDNET = join(cacheFolder(), 'wordnet');

/** The lines of the page's examples of a kind. */
function examples(kind) {
  return [...page.matchAll(/^```(js.*?)\n(.*?)^```/gms)]
    .filter(([, info]) => info === kind)
    .flatMap(([, , code]) => code.split('\n'))
    .filter((line) => !line.startsWith('import '));
}

/** A line with its answer behind it, as a call that compares them; else the line. */
function compared(line) {
  const [, expression, answer] = /^(.*); \/\/ (.+)$/.exec(line) ?? [];
  return expression ? `check(${JSON.stringify(expression)}, ${JSON.stringify(answer)}, ${expression});` : line;
}

/** Runs lines with these variables, and answers how many answers were compared. */
async function run(lines, variables) {
  let count = 0;
  const check = (expression, answer, found) => {
    count += 1;
    if (/^[a-z]+(, |$)/.test(answer) && !/^(null|true|false)$/.test(answer)) {
      const ids = (found.nodes ?? found.hits).map(({ id }) => id);
      assert.equal(ids.join(', ') || 'none', answer, expression);
    } else {
      assert.deepEqual(found, JSON.parse(answer), expression);
    }
  };
  const code = `return (async () => {\n${lines.map(compared).join('\n')}\n})();`;
  await new Function('check', ...Object.keys(variables), code)(check, ...Object.values(variables));
  return count;
}

test('every question of the page is answered as it says', async () => {
  const count = await run(examples('js'), { openMemory });
  assert.ok(count > 30, `${count} answers were compared`);
});

test('every body of the table is one that its verb takes', async (t) => {
  const db = await openMemory();
  t.after(() => db.close());
  const { graph } = await db.create('zoo');
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\{.*\})` \| (.*) \|$/gm)];
  assert.deepEqual(rows.map(([, verb]) => verb).sort(), 'components edges link path subgraph traverse unlink'.split(' '));
  for (const [, verb, json, answer] of rows) {
    const { edges, ...rest } = JSON.parse(json);
    if (edges) {
      assert.deepEqual({ [`${verb}ed`]: await graph[verb](edges, rest) }, JSON.parse(answer.slice(1, -1)), verb);
    } else {
      assert.deepEqual(Object.keys(await graph[verb](rest)).sort(), [...answer.matchAll(/\w+/g)].flat().sort(), verb);
    }
  }
});

const skip = !existsSync(join(WORDNET, 'edges.jsonl')) && 'WordNet is not in the cache';
test('the example from WordNet finds the way from a giraffe to an ungulate', { skip }, async (t) => {
  const db = await openMemory();
  t.after(() => db.close());
  const read = (name) => readFileSync(join(WORDNET, name), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
  const documents = read('documents.jsonl').filter(({ metadata }) => metadata.lexical_file === 'noun.animal');
  const ids = new Set(documents.map(({ id }) => id));
  const hypernyms = read('edges.jsonl').filter(({ from, relation }) => relation === 'hypernym' && ids.has(from));
  const edges = hypernyms.map(({ from, relation, to }) => ({ source: from, relation, target: to }));
  for (const [what, count] of [['animals', documents.length], ['hypernyms', edges.length]]) {
    assert.ok(page.includes(`${count.toLocaleString('en')} ${what}`), `${count} ${what}`);
  }
  const count = await run(examples('js wordnet'), { db, documents, edges });
  assert.equal(count, 2);
});
