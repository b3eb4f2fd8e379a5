// The browser's engine for the CommonJS build: it is ES modules, and TypeScript would turn this import into a `require`.

module.exports = { load: () => import('./dist/wasm/open.js') };
