// What long proofs count is added up in the page that tells of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { added, count } from '../../.ci/lib/proofs.mjs';

const page = (rows) => `before
<!-- counted by npm run prove -->
| proof | runs | counted in all of them |
|---|---|---|
${rows}<!-- end of what was counted -->
after
`;

test('counts of several runs are added up, and bounds are kept', () => {
  const kill = (kills) => ['kill', [['kills', kills], ['lost', '0']]];
  const once = added(page(''), [kill('999')]);
  assert.equal(once, page('| kill | 1 | kills 999; lost 0 |\n'));
  const many = ['many', [['threads', '25'], ['collections', '10000']]];
  const twice = added(once, [kill('1001'), many]);
  const fewer = ['many', [['threads', '20'], ['collections', '10000']]];
  assert.equal(
    added(twice, [fewer]),
    page('| kill | 2 | kills 2,000; lost 0 |\n| many | 2 | threads 25; collections 10,000 |\n'),
  );
});

// What a proof had counted was lost when it was the first line that its test printed.
test('what a proof counts is read, also behind the name of its test', () => {
  const line = 'counted: kill kills=1362 lost=0';
  const counts = ['kill', [['kills', '1362'], ['lost', '0']]];
  assert.deepEqual(count(line), counts);
  assert.deepEqual(count(`test kill::kills_for_as_long_as_asked ... ${line}`), counts);
  assert.equal(count('12 documents are counted: kill'), undefined);
});
