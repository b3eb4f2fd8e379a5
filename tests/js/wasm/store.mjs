// A store in memory, for tests of the browser engine where there is no IndexedDB. Commits can be held and failed.

/** What a store holds; one of these can be opened again and again. */
export class Disk {
  /** storage -> { current, manifests, logs: generation -> bytes, blobs: blob -> { type, length, pieces }, lost } */
  storages = new Map();

  of(number) {
    if (!this.storages.has(number)) {
      const empty = { current: null, manifests: new Map(), logs: new Map(), blobs: new Map(), lost: [] };
      this.storages.set(number, empty);
    }
    return this.storages.get(number);
  }

  apply(work) {
    const storage = work.storage === undefined ? undefined : this.of(work.storage);
    const copy = () => Uint8Array.from(work.bytes);
    switch (work.kind) {
      case 'log':
        return storage.logs.set(work.generation, copy());
      case 'append':
        return storage.logs.set(work.generation, join(storage.logs.get(work.generation), copy()));
      case 'setAside': {
        const log = storage.logs.get(work.generation);
        storage.lost.push(log.slice(work.from));
        return storage.logs.set(work.generation, log.slice(0, work.from));
      }
      case 'blob': {
        if (work.offset === 0) storage.blobs.set(work.blob, { type: work.type, length: undefined, pieces: [] });
        const blob = storage.blobs.get(work.blob);
        blob.pieces.push([work.offset, copy()]);
        if (work.offset + work.bytes.length === work.total) blob.length = work.total;
        return blob;
      }
      case 'flip':
        storage.manifests.set(work.generation, copy());
        storage.current = work.generation;
        return storage;
      case 'removeManifest':
        return storage.manifests.delete(work.generation);
      case 'removeLog':
        return storage.logs.delete(work.generation);
      case 'removeBlob':
        return storage.blobs.delete(work.blob);
      case 'removeStorage':
        return this.storages.delete(work.storage);
      case 'sync':
        return undefined;
      default:
        throw new Error(`no work of kind ${work.kind}`);
    }
  }

  snapshot() {
    const storages = [...this.storages].map(([number, { current, manifests, logs, blobs }]) => {
      const all = [...blobs].map(([blob, { type, length }]) => ({ blob, type, length }));
      return {
        number,
        current,
        manifests: [...manifests].map(([generation, bytes]) => ({ generation, bytes: bytes.slice() })),
        logs: [...logs].map(([generation, bytes]) => ({ generation, bytes: bytes.slice() })),
        blobs: all.filter(({ length }) => length !== undefined),
        leftovers: all.filter(({ length }) => length === undefined).map(({ blob, type }) => ({ blob, type })),
      };
    });
    return { storages };
  }
}

/** One opening of a disk. */
export class MemoryStore {
  onLost;
  /** Called with what was stored, before `commit` resolves. */
  onStored;
  closed = false;
  /** The batches that were committed. */
  commits = [];
  /** Batches that were begun; those who wait in `begun` are told. */
  #begun = 0;
  #gate;
  #failures = [];
  /** What every commit fails with. */
  failure;
  /** How often everything was read. */
  snapshots = 0;
  #listeners = [];

  constructor(disk = new Disk()) {
    this.disk = disk;
  }

  /** Commits and snapshots wait from now on until `go`. */
  hold() {
    this.#gate = Promise.withResolvers?.() ?? withResolvers();
  }

  go() {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** The next commit fails with this. */
  failNext(error) {
    this.#failures.push(error);
  }

  /** Resolves when so many commits were begun. */
  async begun(count) {
    while (this.#begun < count) await new Promise((done) => this.#listeners.push(done));
  }

  async snapshot() {
    this.snapshots += 1;
    await this.#gate?.promise;
    return this.disk.snapshot();
  }

  async read(storage, blob, take) {
    for (const [offset, bytes] of this.disk.of(storage).blobs.get(blob).pieces) {
      await null;
      take(offset, bytes);
    }
  }

  async overview() {
    const storages = this.disk.snapshot().storages;
    const objects = storages.reduce((sum, { manifests, logs, blobs }) => sum + manifests.length + logs.length + blobs.length, 0);
    const others = storages.map(({ number }) => number).filter((number) => number !== 0);
    return { catalog: storages.find(({ number }) => number === 0), others, objects };
  }

  async snapshotOf(storage) {
    return this.disk.snapshot().storages.find(({ number }) => number === storage);
  }

  async readAt(storage, current, blob, take) {
    await null;
    if ((this.disk.storages.get(storage)?.current ?? null) !== current) return false;
    await this.read(storage, blob, take);
    return true;
  }

  async commit(batch) {
    if (this.closed) throw new Error('a closed store was asked to commit');
    this.#begun += 1;
    this.#listeners.splice(0).forEach((done) => done());
    await this.#gate?.promise;
    const failure = this.failure ?? this.#failures.shift();
    if (failure) throw failure;
    for (const work of batch.work) this.disk.apply(work);
    this.commits.push(batch);
    this.onStored?.(batch.work);
  }

  /** Takes a moment, as files do. */
  async close() {
    if (this.closed) throw new Error('a store was closed twice');
    this.closed = true;
    await new Promise((done) => setImmediate(done));
  }
}

function withResolvers() {
  const deferred = {};
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
  return deferred;
}

function join(a, b) {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
