// Hybrid search in Node: vectors, words and a filter in one query.
import { open } from 'kithdb';

const db = await open('./demo-db');
const films = await db.create('films', { metric: 'cosine', text: { language: 'english' } });
await films.addMany([
  { id: 'alien', vector: [0.9, 0.1, 0.3], metadata: { plot: 'A crew meets a creature in deep space', year: 1979 } },
  { id: 'up', vector: [0.1, 0.9, 0.2], metadata: { plot: 'A house flies away under balloons', year: 2009 } },
  { id: 'moon', vector: [0.8, 0.3, 0.1], metadata: { plot: 'A man alone in space talks to himself', year: 2009 } },
]);
const { hits } = await films.search({ vector: [1, 0.2, 0.2], text: 'alone in space', filter: 'year >= 2000', k: 2 });
for (const hit of hits) console.log(hit.id, hit.score.toFixed(2), hit.metadata.plot);
await db.close();
