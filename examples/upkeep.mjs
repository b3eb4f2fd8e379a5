// Many documents at once, counting what is used, saying how a collection is kept, and reading beside others.
import { open } from 'kithdb';

const db = await open('./upkeep-db');
const notes = await db.create('notes', { text: {}, maintenance: { vacuum_interval: '5m' } });
const documents = Array.from({ length: 1000 }, (_, i) => ({ id: `note-${i}`, metadata: { body: `note number ${i}` } }));
const { written } = await notes.addMany(documents, { bulk: true });
console.log('stored at once:', written);

await notes.touch(['note-7', 'note-9']);
await notes.touch('note-7');
const [seven, eight] = await notes.touches(['note-7', 'note-8']);
console.log('note-7 was used', seven.count, 'times, note-8', eight?.count ?? 0);

await notes.delete(documents.slice(0, 300).map(({ id }) => id));
await notes.seal();
console.log('written again without what was deleted:', await notes.vacuum());
await notes.configure({ maintenance: { delete_threshold: 0.5 } });
await db.close();

const one = await open('./upkeep-db', { read_only: true });
const two = await open('./upkeep-db', { read_only: true });
console.log('read twice:', (await one.collection('notes').info()).documents, (await two.collection('notes').info()).documents);
const refusal = await one.collection('notes').delete('note-7').catch((error) => error.code);
console.log('a reader that writes is told:', refusal);
await one.close();
await two.close();
