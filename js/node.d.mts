// The types of node.mjs, which hands on what the CommonJS entry has.

export * from './dist/node/node.js';
