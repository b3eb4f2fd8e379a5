// The examples of docs/QUERYING.md find what stands behind them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { openMemory } from 'kithdb';

const page = readFileSync(new URL('../../docs/QUERYING.md', import.meta.url), 'utf8');
const lines = [...page.matchAll(/^```js\n(.*?)^```/gms)].flatMap(([, code]) => code.split('\n'));

/** A line with its answer behind it, as a call that compares them; else the line. */
function compared(line) {
  const [, expression, answer] = /^(.*); \/\/ (.+)$/.exec(line) ?? [];
  return expression ? `check(${JSON.stringify(expression)}, ${JSON.stringify(answer)}, ${expression});` : line;
}

test('every request of the page finds what it says', async () => {
  let count = 0;
  const check = (expression, answer, found) => {
    count += 1;
    if (answer.startsWith('[')) assert.deepEqual(found, JSON.parse(answer), expression);
    else assert.equal(found.hits.map(({ id }) => id).join(', '), answer, expression);
  };
  const code = lines.filter((line) => !line.startsWith('import ')).map(compared).join('\n');
  await new Function('openMemory', 'check', `return (async () => {\n${code}\n})();`)(openMemory, check);
  assert.ok(count > 15, `${count} answers were compared`);
});
