// Directories of the origin private file system, in memory: they fail where they are told to, and the power can be cut.

/** What a browser says of a file that is not there, or is open. */
const refused = (name) => new DOMException(name, name);

export class FakeDirectory {
  kind = 'directory';
  /** The store asks this for its files. */
  files = this;
  /**
   * What `calls` counts up to fails. 'stop' does, and all that follows; 'full', 'flush' and 'truncate' fail once, and count writes,
   * flushes and cuts alone; 'stuck' is 'full' with a file system that cuts nothing any more.
   */
  fault = { kind: 'none', at: 0 };
  calls = 0;
  /** Directories in it. */
  #directories = new Map();
  /** name -> { now, durable, isOpen } */
  #entries = new Map();

  async check() {}

  async begin() {}

  async end() {}

  /** What was not flushed is gone, but for files that the system wrote to the disk by itself, before all others. */
  cutPower(isWritten) {
    for (const entry of this.#entries.values()) {
      if (!isWritten(entry.now)) entry.now = entry.durable;
      entry.isOpen = false;
    }
  }

  /** How many files there are, and how many are open. */
  get counts() {
    const all = [...this.#entries.values()];
    return { files: all.length, open: all.filter(({ isOpen }) => isOpen).length };
  }

  async *keys() {
    yield* [...this.#entries.keys(), ...this.#directories.keys()];
  }

  async *values() {
    for (const name of this.#entries.keys()) yield this.getFileHandle(name);
    yield* this.#directories.values();
  }

  async getDirectoryHandle(name, { create = false } = {}) {
    if (!this.#directories.has(name)) {
      if (!create) throw refused('NotFoundError');
      this.#directories.set(name, new FakeDirectory());
    }
    return this.#directories.get(name);
  }

  async getFileHandle(name, { create = false } = {}) {
    if (!this.#entries.has(name)) {
      if (!create) throw refused('NotFoundError');
      this.#entries.set(name, { now: new Uint8Array(), durable: new Uint8Array(), isOpen: false });
    }
    const entry = this.#entries.get(name);
    return {
      kind: 'file',
      getFile: async () => new Blob([entry.now]),
      createSyncAccessHandle: async () => {
        if (entry.isOpen) throw refused('NoModificationAllowedError');
        entry.isOpen = true;
        return this.#opened(entry);
      },
    };
  }

  async removeEntry(name) {
    if (this.#directories.delete(name)) return;
    if (this.#entries.get(name).isOpen) throw refused('NoModificationAllowedError');
    this.#entries.delete(name);
  }

  #opened(entry) {
    const resized = (length) => {
      const bytes = new Uint8Array(length);
      bytes.set(entry.now.subarray(0, length));
      return bytes;
    };
    const put = (bytes, at) => {
      entry.now = resized(Math.max(entry.now.length, at + bytes.length));
      entry.now.set(bytes, at);
      return bytes.length;
    };
    return {
      getSize: () => entry.now.length,
      close: () => { entry.isOpen = false; },
      read(bytes, { at }) {
        const found = entry.now.subarray(at, at + bytes.length);
        bytes.set(found);
        return found.length;
      },
      // What fails is done by half.
      write: (bytes, { at }) => this.#tried('write', () => put(bytes, at), () => put(bytes.subarray(0, bytes.length >> 1), at)),
      truncate: (length) => this.#tried('truncate', () => { entry.now = resized(length); }),
      flush: () => this.#tried('flush', () => { entry.durable = entry.now.slice(); }),
    };
  }

  #tried(what, whole, half) {
    const { kind, at } = this.fault;
    const counted = { full: 'write', stuck: 'write', flush: 'flush', truncate: 'truncate' }[kind];
    if (kind === 'stuck' && what === 'truncate' && this.calls >= at) throw refused('UnknownError');
    if (kind === 'none' || (counted && what !== counted)) return whole();
    this.calls += 1;
    if (this.calls < at || (counted && this.calls > at)) return whole();
    if (this.calls === at) half?.();
    if (counted !== 'write') throw refused('UnknownError');
    // The specification wants a throw; in a private window Chromium answers the number of its error.
    if (at % 2 === 0) return 2 ** 32 - 8;
    throw refused('QuotaExceededError');
  }
}
