// The module that the build puts beside the compiled TypeScript, so that `tsc` needs no built one.

import type { WasmModule } from './module.js';

declare const init: WasmModule['default'];
export default init;
export const WasmCheck: WasmModule['WasmCheck'];
export const WasmDatabase: WasmModule['WasmDatabase'];
export const __wbg_reset_state: NonNullable<WasmModule['__wbg_reset_state']>;
