// From navigation until KithDB can be asked something.

import { openMemory } from '/kithdb/browser.js';

export default async () => {
  const database = await openMemory();
  await database.collections();
  return performance.now();
};
