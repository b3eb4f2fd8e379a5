// Calls every method of KektorDB's TypeScript client, from npm, against a server once: those in scope find what their types
// promise, the others get an error of the API that says what is not served. A method that is not called here is an error.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { TYPESCRIPT_CLIENT, ensureTypescriptClient, serving } from '../../.ci/lib/kektordb.mjs';
import { Refusal, main, step } from '../../.ci/lib/say.mjs';

/** How long a task may take, in seconds. */
const TASK_WITHIN = 60;

const index = 't';

/** Calls of methods that are served, in this order; each checks what it gets. */
const SERVED = [
  ['set', (db) => db.set('greeting', 'hello')],
  ['get', async (db) => assert.equal(await db.get('greeting'), 'hello')],
  ['delete', (db) => db.delete('greeting')],
  ['vcreate', (db) => db.vcreate({
    indexName: index, metric: 'cosine', precision: 'float32', m: 16, efConstruction: 100, textLanguage: 'english',
    maintenance: { vacuumInterval: '60s', deleteThreshold: 0.3, refineEnabled: true, refineInterval: '30s' },
    memoryConfig: { enabled: true, decay_half_life: '7d' },
  })],
  ['listIndexes', async (db) => assert.deepEqual((await db.listIndexes()).map(({ name }) => name), [index])],
  ['getIndexInfo', async (db) => assert.equal((await db.getIndexInfo(index)).metric, 'cosine')],
  ['vupdateConfig', (db) => db.vupdateConfig(index, { vacuum_interval: '120s' })],
  ['vadd', async (db) => {
    await db.vadd(index, 'a', [1, 0], { content: 'cats purr', kind: 'pet' });
    await db.vadd(index, 'pinned', [0, 1], { kind: 'note' }, true);
    await db.vadd(index, 'entity', null, { kind: 'entity' });
  }],
  ['vaddBatch', async (db) => {
    const vectors = [{ id: 'b', vector: [1, 1] }, { id: 'c', vector: [-1, 0], metadata: { kind: 'pet' } }];
    assert.equal((await db.vaddBatch(index, vectors)).vectors_added, 2);
  }],
  ['vimport', (db) => db.vimport(index, [{ id: 'd', vector: [0, -1] }, { id: 'e', vector: [-1, -1] }], 1)],
  ['vget', async (db) => {
    assert.deepEqual((await db.vget(index, 'a')).vector, [1, 0]);
    assert.equal((await db.vget(index, 'pinned')).metadata._pinned, true);
  }],
  ['vgetMany', async (db) => assert.deepEqual((await db.vgetMany(index, ['d', 'a'], true)).map(({ id }) => id), ['d', 'a'])],
  ['vsearch', async (db) => {
    assert.deepEqual(await db.vsearch({ indexName: index, queryVector: [1, 0], k: 1 }), ['a']);
    const words = { indexName: index, queryVector: [0, 0], k: 1, filter: "CONTAINS(content, 'cat')", alpha: 0 };
    assert.deepEqual(await db.vsearch(words), ['a']);
  }],
  ['vsearchWithScores', async (db) => {
    const [first] = await db.vsearchWithScores(index, [1, 0], 1);
    // A share of it goes with the seconds since it was added.
    assert.equal(first.id, 'a');
    assert.ok(first.score > 0.99 && first.score <= 1, String(first.score));
  }],
  ['vreinforce', (db) => db.vreinforce(index, ['a'])],
  ['vexport', async (db) => {
    const page = await db.vexport(index, 2, 1);
    assert.deepEqual([page.data.length, page.has_more, page.next_offset], [2, true, 3]);
  }],
  ['vlink', (db) => db.vlink({
    indexName: index, sourceId: 'a', targetId: 'b', relationType: 'next', inverseRelationType: 'prev', weight: 0.5,
    props: { sure: true },
  })],
  ['vgetLinks', async (db) => assert.deepEqual(await db.vgetLinks(index, 'a', 'next'), ['b'])],
  ['getIncoming', async (db) => assert.deepEqual(await db.getIncoming(index, 'b', 'next'), ['a'])],
  ['vgetConnections', async (db) => assert.equal((await db.vgetConnections(index, 'a', 'next'))[0].id, 'b')],
  ['traverse', async (db) => {
    const { result } = await db.traverse(index, 'a', ['next.prev']);
    // By what is left of the path.
    const [next] = result.connections['next.prev'];
    assert.deepEqual([next.id, next.connections.prev[0].id], ['b', 'a']);
  }],
  ['extractSubgraph', async (db) => {
    const { root_id: root, nodes, edges } = await db.extractSubgraph(index, 'a', ['next']);
    assert.deepEqual([root, nodes.map(({ id }) => id), edges.length], ['a', ['a', 'b'], 1]);
  }],
  ['findPath', async (db) => assert.deepEqual((await db.findPath(index, 'a', 'b')).path, ['a', 'b'])],
  ['getEdges', async (db) => assert.equal((await db.getEdges(index, 'a', 'next'))[0].w, 0.5)],
  ['setNodeProperties', (db) => db.setNodeProperties(index, 'a', { size: 3 })],
  ['getNodeProperties', async (db) => assert.equal((await db.getNodeProperties(index, 'a')).size, 3)],
  ['searchNodes', async (db) => assert.equal((await db.searchNodes(index, "kind = 'note'"))[0].id, 'pinned')],
  ['getAllRelations', async (db) => assert.deepEqual(await db.getAllRelations(index, 'a'), { next: ['b'] })],
  ['getAllIncoming', async (db) => assert.deepEqual(await db.getAllIncoming(index, 'a'), { prev: ['b'] })],
  ['vunlink', async (db) => {
    await db.vunlink(index, 'a', 'b', 'next');
    assert.deepEqual(await db.vgetLinks(index, 'a', 'next'), []);
  }],
  ['vevolve', async (db) => {
    const told = await db.vevolve({ indexName: index, oldId: 'b', reason: 'better', newVector: [1, 2] });
    assert.deepEqual([told.old_id, told.status], ['b', 'evolved']);
  }],
  ['getMemoryEvolution', async (db) => {
    const chain = await db.getMemoryEvolution({ indexName: index, memoryId: 'b', direction: 'forward' });
    assert.deepEqual([chain.total_steps, chain.evolution_chain[1].is_current], [2, true]);
  }],
  ['invalidateMemory', (db) => db.invalidateMemory({ indexName: index, targetId: 'a', reason: 'hearsay' })],
  ['vbeliefState', async (db) => {
    const belief = await db.vbeliefState({ indexName: index, queryVec: [1, 0], limit: 1 });
    assert.deepEqual([belief.nodes[0].id, belief.evidence.friction.invalidations], ['a', 1]);
  }],
  ['vdelete', (db) => db.vdelete(index, 'e')],
  ['vcompress', async (db) => assert.equal((await (await db.vcompress(index, 'int8')).wait(1, TASK_WITHIN)).status, 'completed')],
  ['aofRewrite', async (db) => assert.equal((await (await db.aofRewrite()).wait(1, TASK_WITHIN)).status, 'completed')],
  ['getTaskStatus', async (db) => assert.ok((await db.getTaskStatus((await db.aofRewrite()).id)).status)],
  ['save', (db) => db.save()],
  ['setAutoLinks', (db) => db.setAutoLinks(index, [{ metadataField: 'by', relationType: 'made_by' }])],
  ['getAutoLinks', async (db) => assert.equal((await db.getAutoLinks(index))[0].relation_type, 'made_by')],
  ['createApiKey', async (db) => assert.ok((await db.createApiKey('read', index)).token)],
  ['revokeApiKey', async (db) => db.revokeApiKey((await db.createApiKey('write')).policy.id)],
  ['listApiKeys', async (db) => assert.equal((await db.listApiKeys()).revoked_token_ids.length, 1)],
  ['embedderStatus', async (db) => assert.equal((await db.embedderStatus()).active, 'none')],
];

/** Calls of methods that are not: each gets 501. */
const NOT_SERVED = [
  ['getReflections', (db) => db.getReflections(index)],
  ['resolveReflection', (db) => db.resolveReflection(index, 'r', 'keep_newer')],
  ['think', (db) => db.think(index)],
  ['ragRetrieve', (db) => db.ragRetrieve('docs', 'cats')],
  ['adaptiveRetrieve', (db) => db.adaptiveRetrieve({ pipelineName: 'docs', query: 'cats' })],
  ['startSession', (db) => db.startSession({ indexName: index })],
  ['endSession', (db) => db.endSession('s', { indexName: index })],
  ['getUserProfile', (db) => db.getUserProfile('u', index)],
  ['listUserProfiles', (db) => db.listUserProfiles(index)],
  ['compile', (db) => db.compile({ name: 'card', sources: { type: 'graph_query' } })],
  ['getCompileStatus', (db) => db.getCompileStatus('t')],
  ['listCompileTemplates', (db) => db.listCompileTemplates()],
  ['listArtifacts', (db) => db.listArtifacts(index)],
  ['getArtifact', (db) => db.getArtifact('card', 'entity', 'e', index)],
  ['getArtifactVersions', (db) => db.getArtifactVersions('card', 'entity', 'e', index)],
  ['diffArtifactVersions', (db) => db.diffArtifactVersions('card', 'entity', 'e', 1, 2)],
];

/** What no method of it is for: it makes the others' requests. */
const INTERNAL = ['constructor', 'request'];

await main(async () => {
  const folder = await ensureTypescriptClient();
  const { KektorDBClient } = await import(pathToFileURL(join(folder, TYPESCRIPT_CLIENT.main)).href);
  const last = ['deleteIndex', (db) => db.deleteIndex(index)];
  const called = [...SERVED, ...NOT_SERVED, last].map(([name]) => name);
  const methods = Object.getOwnPropertyNames(KektorDBClient.prototype).filter((name) => !INTERNAL.includes(name));
  assert.deepEqual([...called].sort(), methods.sort(), 'every method is called once');
  await serving((port) => step(`calling ${methods.length} methods`, async () => {
    const db = new KektorDBClient({ host: '127.0.0.1', port });
    for (const [name, call] of SERVED) await named(name, call(db));
    for (const [name, call] of NOT_SERVED) await refused(name, call(db));
    await named(last[0], last[1](db));
    return `${SERVED.length + 1} served, ${NOT_SERVED.length} refused`;
  }));
});

async function named(name, outcome) {
  try {
    await outcome;
  } catch (error) {
    throw new Refusal(`${name}: ${error.message}`);
  }
}

async function refused(name, outcome) {
  const error = await outcome.then(() => new Error('it was answered'), (error) => error);
  if (error.statusCode !== 501) throw new Refusal(`${name}: ${error.message}, and not with status 501`);
}
