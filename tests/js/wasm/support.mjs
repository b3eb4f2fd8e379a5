// What the tests of the browser engine share: databases over a fake module and a store in memory.

import assert from 'node:assert/strict';

import { KithError } from '../../../js/dist/errors.js';
import { Instances } from '../../../js/dist/wasm/instance.js';
import { openBackend, openWasm } from '../../../js/dist/wasm/open.js';
import { after } from '../support.mjs';
import { fakeModule } from './fake.mjs';
import { MemoryStore } from './store.mjs';

export { KithError };

// A clock that stands still: how many steps a job takes does not depend on how busy the machine is.
performance.now = () => 0;

/** What `work` fails with: a KithError of this code. */
export async function refused(code, work) {
  let error;
  try {
    await work();
  } catch (caught) {
    error = caught;
  }
  assert.ok(error instanceof KithError, `not a KithError: ${error?.stack ?? error}`);
  assert.equal(error.code, code, error.message);
  return error;
}

/** A page with a fake module, in which databases are opened. After the test nothing may have called what was gone. */
export function page(t) {
  const module = fakeModule();
  const instances = new Instances(module, true);
  const enter = async (inhabitant) => instances.enter(inhabitant);
  after(t, () => assert.deepEqual(module.strays, []));
  return {
    module,
    /** Opens what is on a disk. */
    async open(disk, options) {
      const { store, released, opening } = this.opening(disk, options);
      const db = await opening;
      after(t, () => db.close().catch(() => {}));
      return { db, store, released };
    },
    /** Opens what is on a disk, without waiting. */
    opening(disk, options) {
      const store = new MemoryStore(disk);
      const released = { count: 0 };
      const release = async () => {
        released.count += 1;
      };
      return { store, released, opening: openWasm(async () => ({ store, release }), options, enter) };
    },
    /** The engine of a database in memory, below the interface. */
    async backend() {
      const backend = await openBackend(undefined, undefined, enter);
      after(t, () => backend.close());
      return backend;
    },
    async memory(options) {
      const db = await openWasm(undefined, options, enter);
      after(t, () => db.close());
      return db;
    },
  };
}

/** The ids of all documents of a collection. */
export async function ids(collection) {
  return (await collection.search({})).hits.map((hit) => hit.id);
}

/** Lets everything happen that only waits for its turn. */
export const turn = () => new Promise((done) => setImmediate(done));
