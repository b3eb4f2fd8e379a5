// The interface of KithDB, which is all that the explorer knows of a database: types only, nothing of them is bundled.

export type * from '../../../../js/src/types.js';
export type { ConnectOptions } from '../../../../js/src/remote/connect.js';
export type { BrowserOptions } from '../../../../js/src/browser.js';
export type { Report } from '../../../../js/src/errors.js';
export type { EmbedderFiles } from '../../../../js/src/wasm/embedder.js';
