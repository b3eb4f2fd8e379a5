// A check of everything that a store holds: collection after collection, in steps, each blob brought when it is wanted.

import type { Call } from '../engine/backend.js';
import { cancelled } from '../errors.js';
import type { Jobs } from './jobs.js';
import type { CheckStepped, WasmCheck, WasmModule } from './module.js';
import type { Overview, Store } from './store.js';

/** What a check is made with. */
export interface Checking {
  module: WasmModule;
  /** Calls into the instance. */
  call: <T>(work: () => T) => T;
  /** None in memory. */
  store: Store | undefined;
  jobs: Jobs;
}

/** What is stored of a database in memory. */
const IN_MEMORY: Overview = { catalog: undefined, others: [], objects: 0 };

/**
 * The JSON of what was found. No job of a collection runs while it is looked at. Where a bulk write has put another manifest in
 * place meanwhile, it is looked at once more; where it was dropped, it is passed over.
 */
export async function verified(checking: Checking, told: Call = {}): Promise<string> {
  const { module, call, store, jobs } = checking;
  const { catalog, others, objects } = store ? await store.overview() : IN_MEMORY;
  const check = call(() => module.WasmCheck.begin({ storages: catalog ? [catalog] : [] }, Float64Array.from(others), objects));
  try {
    for (;;) {
      const storage = call(() => check.next());
      if (storage === undefined) return call(() => check.finish());
      const look = () => looked({ ...checking, store: store! }, check, storage, others.includes(storage), told);
      // Jobs have their turn between two looks.
      while (!(await jobs.alone(storage, look)));
    }
  } catch (error) {
    free(checking, check);
    throw error;
  }
}

/** Looks at all of a storage; false when it has changed meanwhile. `wasThere` says that it was listed. */
async function looked(
  { call, store, jobs }: Checking & { store: Store },
  check: WasmCheck,
  storage: number,
  wasThere: boolean,
  told: Call,
): Promise<boolean> {
  const held = await store.snapshotOf(storage);
  if (!held && wasThere) {
    call(() => check.leave());
    return true;
  }
  call(() => check.enter({ storages: held ? [held] : [] }));
  let stepped: CheckStepped;
  let isSame = true;
  await jobs.steps(
    (rows) => {
      if (!isSame) return true;
      stepped = call(() => check.step(rows));
      return stepped.done || undefined;
    },
    async () => {
      const { blob, length, checked, total } = stepped;
      if (told.signal?.aborted) throw cancelled('the call', told.signal.reason);
      told.progress?.(checked, total);
      if (blob === undefined) return;
      const take = (offset: number, bytes: Uint8Array): void => bring(call, check, blob, offset, length, bytes);
      isSame = await store.readAt(storage, held?.current ?? null, blob, take);
    },
  );
  return isSame;
}

function bring(call: Checking['call'], check: WasmCheck, blob: number, offset: number, length: number, bytes: Uint8Array): void {
  try {
    call(() => check.provide(blob, offset, length, bytes));
  } catch (error) {
    // Its pieces are not those that it was listed with: the next step finds it damaged.
    if ((error as { code?: string }).code !== 'corrupt') throw error;
  }
}

function free({ call }: Checking, check: WasmCheck): void {
  try {
    call(() => check.free());
  } catch {
    // The instance is dead, and it gone.
  }
}
