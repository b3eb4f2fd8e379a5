// What was replaced or deleted can be read as it was, and what expires goes by itself.
import { open } from 'kithdb';

const db = await open('./history-db');
const notes = await db.create('notes', { text: {}, history: 'forever' });
await notes.add({ id: 'plan', metadata: { body: 'Meet at the old mill' } });
const [first] = await notes.versions('plan');
await notes.upsert({ id: 'plan', metadata: { body: 'Meet at the station' } });
await notes.add({ id: 'code', metadata: { body: 'The door code is 4711' }, ttl: '15m' });

const asked = { text: 'meet mill' };
console.log('now: ', (await notes.search(asked)).hits.map((hit) => hit.metadata.body).join());
console.log('then:', (await notes.search({ ...asked, as_of: first.valid_from })).hits.map((hit) => hit.metadata.body).join());
for (const { valid_from, valid_to, metadata } of await notes.versions('plan')) console.log(valid_from, valid_to, metadata.body);
await db.close();
