// Opens a directory and keeps it open until it is killed.

import { open } from 'kithdb';

const db = await open(process.argv[2]);
console.log('held');
setInterval(() => db, 1000);
