// Locks of a browser, where there are none: as `navigator.locks` has them, of one page.

/** All locks. */
export class Locks {
  /** By name: who holds it, and who waits for it. */
  #all = new Map();

  request(name, options, granted) {
    const { mode = 'exclusive', ifAvailable = false, steal = false, signal } = options;
    const lock = this.#of(name);
    return new Promise((done, failed) => {
      const asked = { name, mode, granted, done, failed };
      if (steal) {
        for (const holder of lock.held.splice(0)) holder.failed(new DOMException('it was stolen', 'AbortError'));
        this.#grant(lock, asked);
      } else if (isFree(lock, mode)) {
        this.#grant(lock, asked);
      } else if (ifAvailable) {
        setImmediate(() => Promise.resolve(granted(null)).then(done, failed));
      } else {
        lock.waiting.push(asked);
        signal?.addEventListener('abort', () => {
          const at = lock.waiting.indexOf(asked);
          if (at < 0) return;
          lock.waiting.splice(at, 1);
          failed(signal.reason);
        });
      }
    });
  }

  async query() {
    const list = (which) => [...this.#all.values()].flatMap((lock) => lock[which].map(({ name, mode }) => ({ name, mode, clientId: 'page' })));
    return { held: list('held'), pending: list('waiting') };
  }

  #of(name) {
    if (!this.#all.has(name)) this.#all.set(name, { held: [], waiting: [] });
    return this.#all.get(name);
  }

  #grant(lock, asked) {
    lock.held.push(asked);
    const end = (settle) => (value) => {
      if (lock.held.includes(asked)) lock.held.splice(lock.held.indexOf(asked), 1);
      while (lock.waiting.length > 0 && isFree({ ...lock, waiting: [] }, lock.waiting[0].mode)) this.#grant(lock, lock.waiting.shift());
      settle(value);
    };
    setImmediate(() => Promise.resolve(asked.granted({ name: asked.name, mode: asked.mode })).then(end(asked.done), end(asked.failed)));
  }
}

/** Whether a lock is to be had at once. */
function isFree({ held, waiting }, mode) {
  return waiting.length === 0 && held.every((holder) => holder.mode === 'shared' && mode === 'shared');
}
