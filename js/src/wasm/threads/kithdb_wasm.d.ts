// The module with threads that the build puts beside the compiled TypeScript, so that `tsc` needs no built one.

import type { WasmModule } from '../module.js';

declare const init: WasmModule['default'];
export default init;
export const WasmCheck: WasmModule['WasmCheck'];
export const WasmDatabase: WasmModule['WasmDatabase'];
export const initThreadPool: NonNullable<WasmModule['initThreadPool']>;
