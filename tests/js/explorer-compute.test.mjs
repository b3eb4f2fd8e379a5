// What the explorer computes: pure functions over typed arrays, compiled for Node and compared with what is known of them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { tsc } from '../../.ci/lib/build.mjs';
import { ROOT, TARGET_FOLDER } from '../../.ci/lib/run.mjs';

/** Below the repository, so that packages are found. */
const COMPILED = join(TARGET_FOLDER, 'explorer-compute');
const ROOM = { nodesMax: 1000, edgesMax: 1000 };
const NOW = Number.POSITIVE_INFINITY;

describe('what the explorer computes', () => {
  const c = {};

  before(async () => {
    const args = tsc('-p', join(ROOT, 'web/explorer/tsconfig.compute.json'), '--outDir', COMPILED);
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
    const names = 'colours communities describe fields filters lasso layout moments network pca pick present random'.split(' ');
    for (const name of names) Object.assign(c, await import(pathToFileURL(join(COMPILED, 'compute', `${name}.js`))));
    for (const path of ['data/turns', 'app/address', 'app/unreached']) Object.assign(c, await import(pathToFileURL(join(COMPILED, `${path}.js`))));
  });

  const second = (at) => `2026-01-01T00:00:${String(at).padStart(2, '0')}Z`;
  const edge = (source, target, { relation = 'knows', from = 0, to = null, weight = 1 } = {}) =>
    ({ source, relation, target, weight, created: second(from), ended: to === null ? null : second(to) });
  const networkOf = (...edges) => {
    const network = new c.Network(ROOM);
    network.add([], edges);
    return network;
  };

  test('a network knows each node and each version of an edge once', () => {
    const network = networkOf(edge('a', 'b'), edge('b', 'c'), edge('a', 'b'));
    assert.deepEqual([network.nodes, network.edges], [3, 2]);
    network.add([{ id: 'a', metadata: { name: 'A' } }], [edge('a', 'b', { from: 5 }), edge('a', 'b', { relation: 'likes' })]);
    assert.deepEqual([network.nodes, network.edges], [3, 4]);
    assert.deepEqual(network.metadata[network.find('a')], { name: 'A' });
    // The same version, told again once it has ended.
    network.add([], [edge('b', 'c', { to: 9, weight: 2 })]);
    assert.deepEqual([network.edges, network.ended[1], network.weight[1]], [4, Date.parse(second(9)), 2]);
    const places = new Set(Array.from({ length: 3 }, (_, node) => `${network.xy[2 * node]} ${network.xy[2 * node + 1]}`));
    assert.equal(places.size, 3, 'no two nodes are in one place, or no force would part them');
  });

  test('a network takes no more than it has room for, and says so', () => {
    const network = new c.Network({ nodesMax: 3, edgesMax: 2 });
    const added = network.add([], [edge('a', 'b'), edge('b', 'c'), edge('c', 'a'), edge('a', 'd')]);
    assert.deepEqual(added, { nodes: 3, edges: 2, refusedNodes: 1, refusedEdges: 2 });
  });

  test('a collapse takes what came through a node, and leaves what is pinned or was asked for', () => {
    const network = networkOf(edge('a', 'b'));
    network.mark(network.find('a'), c.START);
    network.add([], [edge('b', 'c'), edge('b', 'd'), edge('b', 'p')], network.find('b'));
    network.add([], [edge('c', 'e'), edge('p', 'q')], network.find('c'));
    network.mark(network.find('p'), c.PINNED);
    const gone = network.broughtBy(network.find('b')).map((node) => network.ids[node]);
    assert.deepEqual(gone.sort(), ['c', 'd', 'e', 'q']);
    network.remove(gone.map((id) => network.find(id)));
    assert.deepEqual([network.ids, network.edges], [['a', 'b', 'p'], 2]);
    // Numbers have moved, and edges with them.
    network.add([], [edge('b', 'p'), edge('b', 'c')]);
    assert.deepEqual([network.nodes, network.edges], [4, 3]);
    const ends = Array.from(network.ends.subarray(0, 6), (node) => network.ids[node]);
    assert.deepEqual(ends, ['a', 'b', 'b', 'p', 'b', 'c']);
  });

  test('near vectors are overlaid, come again as they are, and go without their documents', () => {
    const network = networkOf(edge('a', 'b'));
    network.addNearest(0, [{ id: 'b', score: 0.9 }, { id: 'z', score: 0.8 }]);
    network.addNearest(0, [{ id: 'z', score: 0.7 }]);
    assert.deepEqual([network.nodes, network.edges], [3, 3]);
    network.removeNearest();
    assert.deepEqual([network.nodes, network.edges], [3, 1]);
  });

  test('what is shown follows the moment, the relation and the weight', () => {
    const network = networkOf(
      edge('a', 'b', { from: 1, to: 4 }), edge('a', 'b', { from: 4, weight: 5 }), edge('b', 'c', { from: 3, relation: 'likes' }),
    );
    const shown = (change) => {
      const mask = new Uint8Array(3);
      const all = { relations: new Uint8Array([1, 1, 1]), weightMin: -NOW, weightMax: NOW, at: NOW, ...change };
      const count = c.shownEdges(network, all, mask);
      assert.equal(count, mask.reduce((sum, bit) => sum + bit, 0));
      return [...mask];
    };
    const at = (seconds) => shown({ at: Date.parse(second(seconds)) });
    assert.deepEqual([at(0), at(1), at(3), at(4)], [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 1, 1]]);
    assert.deepEqual(shown({}), [0, 1, 1]);
    assert.deepEqual(shown({ relations: new Uint8Array([1, 1, 0]) }), [0, 1, 0]);
    assert.deepEqual(shown({ weightMin: 2 }), [0, 1, 0]);
    network.mark(network.find('c'), c.PINNED);
    const nodes = new Uint8Array(3);
    assert.equal(c.shownNodes(network, new Uint8Array([0, 1, 0]), c.PINNED, nodes), 3);
    assert.equal(c.shownNodes(network, new Uint8Array([0, 1, 0]), c.START, nodes), 2);
    assert.deepEqual([...c.changes(network)], [1, 3, 4].map((seconds) => Date.parse(second(seconds))));
    const [from, to] = [Date.parse(second(1)), Date.parse(second(5))];
    assert.deepEqual([...c.edgesOverTime(network, from, to, 4)], [1, 2, 2, 2]);
    const stops = c.changes(network);
    assert.equal(c.nextChange(stops, Date.parse(second(3)), 1), Date.parse(second(4)));
    assert.equal(c.nextChange(stops, Date.parse(second(3)), -1), from);
  });

  test('a moment keeps its microseconds, and is asked for so that it is included', () => {
    const text = '2026-11-21T10:48:02.120511301Z';
    const moment = c.momentOf(text);
    assert.ok(Math.abs(moment - (Date.parse('2026-11-21T10:48:02Z') + 120.511301)) < 0.001);
    assert.equal(c.textOf(moment), '2026-11-21T10:48:02.120512Z');
    assert.equal(c.momentOf('2026-11-21T12:48:02+02:00'), Date.parse('2026-11-21T10:48:02Z'));
    assert.equal(c.textOf(Date.parse('2026-11-21T10:48:02Z')), '2026-11-21T10:48:02.000000Z');
    assert.ok(Number.isNaN(c.momentOf('yesterday')));
  });

  test('a layout parts what is not linked, holds what is fixed, and is the same every time', () => {
    // Two cliques with one bridge.
    const ends = [];
    for (const base of [0, 5]) for (let a = 0; a < 5; a += 1) for (let b = a + 1; b < 5; b += 1) ends.push(base + a, base + b);
    ends.push(0, 5);
    const random = c.seeded(1);
    const xy = Float32Array.from({ length: 20 }, () => 100 * random());
    const fixed = new Uint8Array(10);
    fixed[9] = 1;
    const input = { xy, ends: Uint32Array.from(ends), weights: new Float32Array(ends.length / 2).fill(1), fixed };
    const run = () => {
      const layout = new c.Layout(input);
      for (let step = 0; step < 300; step += 1) layout.step();
      return layout.positions(new Float32Array(20));
    };
    const placed = run();
    assert.deepEqual(placed, run());
    assert.ok(placed.every(Number.isFinite));
    assert.deepEqual([...placed.subarray(18)], [...xy.subarray(18)]);
    const apart = (a, b) => Math.hypot(placed[2 * a] - placed[2 * b], placed[2 * a + 1] - placed[2 * b + 1]);
    assert.ok(apart(1, 2) < apart(1, 6) && apart(6, 7) < apart(2, 8));
  });

  test('communities are found, the largest first', () => {
    const ends = [];
    for (const [base, size] of [[0, 4], [4, 6]]) {
      for (let a = 0; a < size; a += 1) for (let b = a + 1; b < size; b += 1) ends.push(base + a, base + b);
    }
    ends.push(0, 4);
    const { of, sizes } = c.communities(11, Uint32Array.from(ends), new Float32Array(ends.length / 2).fill(1));
    assert.deepEqual([...of], [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 2]);
    assert.deepEqual([...sizes], [6, 4, 1]);
  });

  test('a projection finds the plane in which vectors lie', () => {
    const [count, dim] = [600, 20];
    const random = c.seeded(3);
    const rows = new Float32Array(count * dim);
    for (let row = 0; row < count; row += 1) {
      const [far, near] = [10 * (random() - 0.5), 4 * (random() - 0.5)];
      for (let at = 0; at < dim; at += 1) rows[row * dim + at] = 3 + 0.01 * random();
      rows[row * dim + 7] += far;
      rows[row * dim + 2] += 0.6 * near;
      rows[row * dim + 3] += 0.8 * near;
    }
    const { xy, shares } = c.project(rows, dim);
    assert.ok(shares[0] > 0.8 && shares[1] > 0.1 && shares[0] + shares[1] > 0.999 && shares[0] + shares[1] <= 1.001, String(shares));
    const mean = rows.filter((_, at) => at % dim === 7).reduce((sum, value) => sum + value, 0) / count;
    for (let row = 0; row < count; row += 1) assert.ok(Math.abs(xy[2 * row] - (rows[row * dim + 7] - mean)) < 0.02);
    assert.deepEqual(c.project(rows, dim).xy, xy);
    // What has no plane has no picture, and no NaN.
    assert.deepEqual([...c.project(new Float32Array([1, 2, 3, 1, 2, 3]), 3).xy], [0, 0, 0, 0]);
    assert.deepEqual([...c.project(new Float32Array([1, 5]), 1).xy].map(Math.round), [-2, 0, 2, 0]);
    assert.equal(c.project(new Float32Array(0), 4).xy.length, 0);
  });

  // A map of a collection that is compared by cosine showed how long its vectors are, which nothing there ever compares.
  test('what compares directions alone is projected without lengths', () => {
    const rows = Float32Array.from([3, 4, 0, 0, 0, 0, 0, 0, 30, 40, 0, 0]);
    c.toUnits(rows, 4);
    assert.deepEqual([...rows].map((value) => Math.round(100 * value)), [60, 80, 0, 0, 0, 0, 0, 0, 60, 80, 0, 0]);
  });

  // A database that was given up while it was being opened was closed whenever that was done: who opened it again by then
  // was told that it is open elsewhere.
  test('a place is opened again once all that was opened there is closed', async () => {
    const told = [];
    const open = (name, ready) => async () => {
      told.push(`open ${name}`);
      await ready;
      return { name, close: async () => void told.push(`close ${name}`) };
    };
    const turns = new c.Turns();
    let finish;
    const first = turns.open('films', open('first', new Promise((done) => { finish = done; })));
    const other = await turns.open('notes', open('other'));
    assert.equal(other.name, 'other');
    const second = turns.open('films', open('second'));
    finish();
    assert.deepEqual([(await first).name, (await second).name], ['first', 'second']);
    assert.deepEqual(told, ['open first', 'open other', 'close other', 'close first', 'open second']);
    const broken = turns.open('films', async () => { throw new Error('no'); });
    await assert.rejects(broken, /no/);
    assert.equal((await turns.open('films', open('third'))).name, 'third');
  });

  test('a lasso holds what lies inside its line', () => {
    const arrow = [0, 0, 10, 5, 0, 10, 4, 5];
    const xy = Float32Array.from([6, 5, 2, 5, 3, 2, 20, 5, 6, 5]);
    assert.deepEqual([...c.within(arrow, xy, new Uint8Array([1, 1, 1, 1, 0]))], [0, 2]);
    assert.deepEqual([...c.within([], xy, new Uint8Array(5).fill(1))], []);
  });

  test('a filter describes what a lasso holds, and says how well', () => {
    const values = ['a', 'a', "it's", 'b', 'b', 'b', undefined];
    const chosen = Uint8Array.from([1, 1, 1, 1, 0, 0, 1]);
    assert.deepEqual(c.describe('kind', values, chosen), { filter: "kind IN ('a', 'it''s')", found: 3, others: 0 });
    assert.deepEqual(c.describe('odd name', values, Uint8Array.from([0, 0, 0, 1, 0, 0, 0])), { filter: "`odd name` = 'b'", found: 1, others: 2 });
    const numbers = Array.from({ length: 60 }, (_, at) => at);
    const low = Uint8Array.from(numbers, (value) => (value >= 10 && value < 40 ? 1 : 0));
    assert.deepEqual(c.describe('year', numbers, low), { filter: 'year BETWEEN 10 AND 39', found: 30, others: 0 });
    assert.equal(c.describe('kind', [undefined], new Uint8Array([1])), null);
  });

  test('a clicked fact becomes a comparison, quoted where the filter language asks for it', () => {
    assert.equal(c.equals('part_of_speech', 'noun'), "part_of_speech = 'noun'");
    assert.equal(c.equals('author', "O'Neill"), "author = 'O''Neill'");
    assert.equal(c.equals('path', 'C:\\temp'), "path = 'C:\\\\temp'");
    assert.equal(c.equals('year', 1990), 'year = 1990');
    assert.equal(c.equals('in stock', true), '`in stock` = true');
    assert.equal(c.equals('in', 'a'), "`in` = 'a'", 'a keyword is no bare name');
  });

  test('a clicked fact is added once and the next click takes it away again', () => {
    const noun = "part = 'noun'";
    assert.equal(c.toggle('', noun), noun);
    assert.equal(c.toggle('year > 1990', noun), `year > 1990 AND ${noun}`);
    assert.equal(c.toggle(`year > 1990 AND ${noun}`, noun), 'year > 1990');
    assert.equal(c.toggle(`a = 'x AND y' and ${noun}`, noun), "a = 'x AND y'");
    assert.equal(c.toggle('a = 1 OR b = 2', noun), `(a = 1 OR b = 2) AND ${noun}`);
    assert.equal(c.toggle('(a = 1 OR b = 2)', noun), `(a = 1 OR b = 2) AND ${noun}`);
    assert.ok(c.demands(`a = 1 AND ${noun}`, noun));
    assert.ok(!c.demands(`a = 1 OR ${noun}`, noun), 'an alternative is not demanded');
  });

  test('the place of an error is counted in bytes and shown at a character', () => {
    assert.deepEqual(c.cutAtByte('n=5 AND', 7), { before: 'n=5 AND', at: '', after: '' });
    assert.deepEqual(c.cutAtByte('t=\u201cx\u201d', 2), { before: 't=', at: '\u201c', after: 'x\u201d' });
    assert.deepEqual(c.cutAtByte('\u00e9\u{1f600}=)', 7), { before: '\u00e9\u{1f600}=', at: ')', after: '' });
    assert.deepEqual(c.cutAtByte('abc', 99), { before: 'abc', at: '', after: '' });
  });

  test('a document shows a title, a text and short facts, whatever its metadata is', () => {
    const metadata = { gloss: 'tallest living quadruped', lemmas: ['giraffe', 'camelopard'], part: 'noun', deep: { a: 1 }, tags: ['x', 2] };
    const shown = c.describeDocument({ id: 'n1', metadata }, ['gloss']);
    assert.deepEqual([shown.title, shown.others], ['giraffe', ['camelopard']]);
    assert.deepEqual(shown.text, { field: 'gloss', value: 'tallest living quadruped' });
    assert.deepEqual(shown.chips, [{ field: 'part', value: 'noun' }, { field: 'tags', value: 'x' }, { field: 'tags', value: 2 }]);
    const bare = c.describeDocument({ id: 'n2', metadata: {} }, null);
    assert.deepEqual([bare.title, bare.isIdTitle, bare.text, bare.chips], ['n2', true, undefined, []]);
    const long = c.describeDocument({ id: 'n3', metadata: { remark: 'long '.repeat(20), note: 'short' } }, 'top_level');
    assert.equal(long.text.field, 'remark');
  });

  // What was said to stay in the tab was asked of the server.
  test('links of the search page lead to where they searched', () => {
    const address = (source, collection, state = {}) => ({ page: 'search', source, collection, state });
    assert.deepEqual(c.parseAddress('#c=wordnet&q=x', '?in=tab'), address('browser:page', 'wordnet', { q: 'x' }));
    assert.deepEqual(c.parseAddress('', '?in=tab'), address('browser:page', null));
    assert.deepEqual(c.parseAddress('#c=wordnet&q=x'), address('server', 'wordnet', { q: 'x' }));
    assert.deepEqual(c.parseAddress('#/search/server/films?q=x', '?in=tab'), address('server', 'films', { q: 'x' }));
    assert.equal(c.parseAddress('').page, 'overview');
  });

  // It told whoever had served the page by https to start a server that ran with an option that it had.
  test('a server that a browser keeps from being asked is told from one that does not answer', () => {
    const [secure, plain] = ['https://films.example/ui/#/overview', 'http://films.example/ui/'];
    const causes = (page, ...servers) => servers.map((server) => c.causeOf(page, server, false));
    assert.deepEqual(causes(secure, 'http://other.example:9091/', 'http://192.168.1.7/', 'http://[::2]/', 'http://localhost.example/'),
      Array(4).fill('mixed'));
    assert.deepEqual(causes(secure, 'https://other.example/', 'http://localhost:9091/', 'http://a.localhost/', 'http://127.0.0.1/', 'http://127.1/', 'http://[::1]:9/'),
      Array(6).fill('unknown'));
    assert.deepEqual(causes(plain, 'http://other.example/', 'https://films.example/'), ['unknown', 'unknown']);
    assert.deepEqual([c.causeOf(plain, 'http://films.example/below/', true), c.causeOf(secure, 'https://films.example/', false)], ['here', 'here']);
    // The right policies would not help.
    assert.deepEqual(['http', 'https'].map((scheme) => c.causeOf(secure, `${scheme}://other.example/`, true)), ['mixed', 'policy']);
  });

  test('colours follow groups or a scale', () => {
    const groups = c.paint([...'aaabbc', undefined]);
    assert.deepEqual(groups.legend.entries.map(({ name, count }) => [name, count]), [['a', 3], ['b', 2], ['c', 1], ['without a value', 1]]);
    assert.deepEqual([...groups.rgb.subarray(0, 3)], [...c.GROUPS[0]]);
    const many = c.paint(Array.from({ length: 20 }, (_, at) => `group ${at}`));
    assert.deepEqual([many.legend.otherGroups, many.legend.entries.at(-1).count], [13, 13]);
    const scale = c.paint(Array.from({ length: 101 }, (_, at) => at));
    assert.deepEqual([scale.legend.kind, scale.legend.from, scale.legend.to], ['scale', 2, 98]);
    assert.deepEqual([...scale.rgb.subarray(0, 3)], [...c.onScale(0)]);
    assert.deepEqual(c.fieldsOf([{ a: 1, b: { c: ['x'], d: null }, 'e.f': 1 }, { a: 2 }, null]), ['a', 'b.c']);
    assert.equal(c.valueAt({ b: { c: ['x', 'y'] } }, 'b.c'), 'x');
    assert.equal(c.valueAt({}, 'constructor.name'), undefined);
    assert.deepEqual(c.rgbOf('rgba(1, 20, 255, 0.5)'), [1, 20, 255]);
  });

  test('the point under the pointer is the nearest that is shown, and labels keep their distance', () => {
    const xy = Float32Array.from([0, 0, 3, 0, 100, 100, 101, 100]);
    assert.equal(c.nearestPoint(xy, new Uint8Array([1, 1, 1, 1]), 2, 0, 5), 1);
    assert.equal(c.nearestPoint(xy, new Uint8Array([1, 0, 1, 1]), 2, 0, 5), 0);
    assert.equal(c.nearestPoint(xy, new Uint8Array([1, 1, 1, 1]), 50, 50, 5), -1);
    const view = { left: -10, right: 200, top: -10, bottom: 200 };
    const weights = Float32Array.from([1, 2, 3, 4]);
    assert.deepEqual(c.labelled(xy, new Uint8Array(4).fill(1), weights, view, 40, 10, []), [3, 1]);
    assert.deepEqual(c.labelled(xy, new Uint8Array(4).fill(1), weights, view, 40, 2, [0]), [0, 3]);
    assert.deepEqual(c.boundsOf(xy, new Uint8Array([0, 1, 1, 0])), { left: 3, right: 100, top: 0, bottom: 100 });
    assert.equal(c.boundsOf(xy, new Uint8Array(4)), null);
  });
});
