// How much smaller a collection could be, what that would cost, and making it so: loaded quickly, refined, compressed.
import { open } from 'kithdb';

const db = await open('./compress-db');
const points = await db.create('points', {
  stored: 'f16',
  ef_construction: 40,
  maintenance: { refine_ef_construction: 200, refine_interval: '0s' },
});
const vector = (i) => Float32Array.from({ length: 64 }, (_, j) => Math.sin(i * (j + 1)) + Math.cos(i % 97));
const documents = Array.from({ length: 5000 }, (_, i) => ({ id: `p${i}`, vector: vector(i) }));
await points.addMany(documents, { bulk: true });
await points.optimize();
console.log('links built anew, with care:', await points.refine());

const { codes } = await points.estimate({ sample: 2000 });
for (const { codes: kind, bytes } of codes) console.log(kind, 'would take', Math.round(bytes / 1000), 'kB');

await points.compress('bits', { onProgress: ({ done, total }) => console.error(done, 'of', total) });
const { stored, codes: now } = await points.info();
console.log('stored as', stored, 'searched by', now);
const { hits } = await points.search({ vector: vector(7), k: 1 });
console.log('the nearest is', hits[0].id);
await db.close();
