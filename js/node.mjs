// KithDB in Node, for `import`. It hands on what `require` gives: there is one KithError, whoever catches it.

import node from './dist/node/node.js';

export const { KithError, connect, deleteDatabase, open, openMemory, openMemorySync, openSync } = node;
