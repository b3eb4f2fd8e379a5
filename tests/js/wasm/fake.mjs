// A stand-in for the wasm module, which keeps to its contract with maps and JSON, and fails where a test tells it to.

/** What the module is told to throw: method -> a function that may throw. */
export function fakeModule() {
  const module = {
    instances: 1,
    faults: new Map(),
    /** Calls to databases of an instance that is gone: there must be none. */
    strays: [],
    /** Databases that were made and not freed. */
    living: 0,
    default: async () => ({ memory: { buffer: { byteLength: 65_536 } } }),
    __wbg_reset_state() {
      module.instances += 1;
      module.living = 0;
    },
  };
  module.WasmDatabase = {
    memory: (options) => guarded(module, new FakeDatabase(module, options)),
    restore: (options, snapshot) => {
      module.faults.get('restore')?.();
      return guarded(module, new FakeDatabase(module, options, snapshot));
    },
  };
  module.WasmCheck = {
    begin: (catalog, numbers, objects) => guarded(module, new FakeCheck(module, catalog, numbers, objects)),
  };
  return module;
}

/** What an instance that ran out of memory throws. */
export const outOfMemory = () => {
  throw new WebAssembly.RuntimeError('unreachable');
};

/** Checks each call: the instance is still there, and no fault was asked for. */
function guarded(module, database) {
  const instance = module.instances;
  module.living += 1;
  return new Proxy(database, {
    get(target, name) {
      const method = target[name];
      if (typeof method !== 'function') return method;
      return (...args) => {
        if (module.instances !== instance || target.freed) module.strays.push(name);
        module.faults.get(name)?.();
        if (name === 'free') module.living -= 1;
        return method.apply(target, args);
      };
    },
  });
}

/** Checks storages: each blob in it has as many bytes as it was listed with. */
class FakeCheck {
  freed = false;
  #numbers;
  #counts;
  #number;
  /** What was found of each storage that was looked at: the collection, and the lengths of its blobs that came. */
  #found = new Map();
  #wanted = [];
  #arriving;

  constructor(module, catalog, numbers, objects) {
    this.module = module;
    this.#numbers = [...numbers];
    this.#counts = { checked: 0, total: objects };
    this.#found.set(0, catalog.storages.length);
  }

  next() {
    this.#number = this.#numbers.shift();
    return this.#number;
  }

  enter({ storages }) {
    const [storage] = storages;
    this.#found.set(this.#number, storage ? [] : 'is missing');
    this.#wanted = [...(storage?.blobs ?? [])];
  }

  leave() {
    this.#found.delete(this.#number);
  }

  provide(blob, offset, total, bytes) {
    if (offset === 0) this.#arriving = 0;
    if (this.#arriving !== offset || offset + bytes.length > total) {
      this.#arriving = NaN;
      refuse('corrupt');
    }
    this.#arriving += bytes.length;
  }

  step() {
    const [next] = this.#wanted;
    if (!next) return { done: true, length: 0, ...this.#counts };
    if (this.#arriving === undefined) return { done: false, blob: next.blob, length: next.length, ...this.#counts };
    this.#found.get(this.#number).push(this.#arriving === next.length ? next.length : 'damaged');
    this.#arriving = undefined;
    this.#wanted.shift();
    this.#counts.checked += 1;
    return { done: false, length: 0, ...this.#counts };
  }

  finish() {
    this.module.living -= 1;
    return JSON.stringify(Object.fromEntries(this.#found));
  }

  free() {
    this.freed = true;
  }
}

const encode = (value) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);
const decode = (bytes) => new TextDecoder().decode(bytes).split('\n').filter(Boolean).map((line) => JSON.parse(line));

function refuse(code, message = code) {
  throw new Error(JSON.stringify({ code, message }));
}

/** All collections share one storage: a log of operations, and a blob of all documents since the last seal. */
class FakeDatabase {
  freed = false;
  #queue = [];
  #ticket = 0;
  #collections = new Map();
  #next = 1;
  #jobs = new Map();
  #tasks = new Map();
  #blob;
  #replay = [];
  #embedder;

  constructor(module, options, snapshot) {
    this.module = module;
    this.options = JSON.parse(options);
    this.isStored = snapshot !== undefined;
    const storage = snapshot?.storages.find(({ number }) => number === 0);
    if (!this.isStored) return;
    this.generation = storage?.current ?? 0;
    if (!storage) {
      this.#push({ kind: 'log', generation: 0, bytes: encode('header') }, true);
      return;
    }
    const manifest = storage.manifests.find(({ generation }) => generation === this.generation);
    this.#blob = manifest && { ...decode(manifest.bytes)[0], parts: [] };
    this.#replay = decode(storage.logs.find(({ generation }) => generation === this.generation).bytes).slice(1);
  }

  setEmbedder(name) {
    this.#embedder = name;
  }

  missing() {
    if (this.#blob && !this.#blob.whole) return [{ storage: 0, blob: this.#blob.blob, length: this.#blob.length }];
    for (const op of this.#replay.splice(0)) this.#apply(op);
    return [];
  }

  provide(_storage, _blob, offset, total, bytes) {
    this.#blob.parts.push(...bytes);
    if (offset + bytes.length < total) return;
    this.#blob.whole = true;
    for (const op of decode(Uint8Array.from(this.#blob.parts))) this.#apply(op);
  }

  #push(work, strict) {
    if (!this.isStored) return 0;
    this.#ticket += 1;
    this.#queue.push({ ticket: this.#ticket, strict, work: { storage: 0, ...work } });
    return this.#ticket;
  }

  /** Applies an operation and queues it for the log. */
  #do(op, durability = this.options.durability) {
    this.#apply(op);
    return this.#push({ kind: 'append', generation: this.generation, bytes: encode(op) }, durability === 'always');
  }

  #apply({ kind, name, c, id, document }) {
    if (kind === 'create') this.#collections.set(c, { name, documents: new Map() });
    if (kind === 'drop') this.#collections.delete(c);
    if (kind === 'put') this.#collections.get(c).documents.set(id, document);
    if (kind === 'delete') this.#collections.get(c).documents.delete(id);
    if (kind === 'create') this.#next = Math.max(this.#next, c + 1);
  }

  #open(c) {
    return this.#collections.get(c) ?? refuse('closed');
  }

  create(name) {
    if ([...this.#collections.values()].some((collection) => collection.name === name)) refuse('collection_exists');
    return this.#do({ kind: 'create', name, c: this.#next }, 'always');
  }

  drop(name) {
    return this.#do({ kind: 'drop', c: this.collection(name) }, 'always');
  }

  collection(name) {
    const [c] = [...this.#collections].find(([, collection]) => collection.name === name) ?? refuse('unknown_collection');
    return c;
  }

  collections() {
    return JSON.stringify([...this.#collections.keys()].map((c) => JSON.parse(this.info(c))));
  }

  info(c) {
    const { name, documents } = this.#open(c);
    return JSON.stringify({ name, documents: documents.size, embedder: this.#embedder ?? null });
  }

  write(c, ids, vectors, lengths, metadata, lives, upsert, options) {
    const { documents } = this.#open(c);
    if (!upsert && ids.some((id) => documents.has(id))) refuse('document_exists');
    let [ticket, ended, at] = [0, 0, 0];
    ids.forEach((id, i) => {
      ended += documents.has(id) ? 1 : 0;
      const vector = lengths[i] < 0 ? null : [...vectors.slice(at, (at += lengths[i]))];
      const document = { vector, metadata: JSON.parse(metadata[i] ?? '{}') };
      ticket = this.#do({ kind: 'put', c, id, document }, options && JSON.parse(options).durability);
    });
    return { ticket, ended };
  }

  delete(c, ids) {
    const { documents } = this.#open(c);
    const there = ids.filter((id) => documents.has(id));
    return { ticket: there.map((id) => this.#do({ kind: 'delete', c, id })).at(-1) ?? 0, ended: there.length };
  }

  get(c, ids) {
    const documents = ids.map((id) => {
      const document = this.#open(c).documents.get(id);
      return document ? { id, metadata: document.metadata, vector: document.vector } : null;
    });
    const vectors = documents.map((document) => document?.vector ?? null);
    return {
      json: JSON.stringify(documents),
      vectors: Float32Array.from(vectors.flatMap((vector) => vector ?? [])),
      lengths: Int32Array.from(vectors, (vector) => vector?.length ?? -1),
    };
  }

  search(c) {
    const ids = [...this.#open(c).documents.keys()];
    const columns = [ids, ids.map(() => 1), ids.map(() => ({})), [], [], null, [], null, [], null, [], null];
    return { json: JSON.stringify(columns) };
  }

  due() {
    return this.module.due?.shift();
  }

  begin(c, kind) {
    if (kind !== 'seal' || this.#open(c).documents.size === 0 || this.#jobs.has(c)) return false;
    this.#jobs.set(c, 0);
    return true;
  }

  step(c, documents) {
    const done = this.#jobs.get(c) + Math.min(documents, this.module.stepMax ?? documents);
    this.#jobs.set(c, done);
    return done >= this.#open(c).documents.size;
  }

  finish(c) {
    this.#jobs.delete(c);
    const all = [...this.#collections].flatMap(([number, { name, documents }]) => [
      { kind: 'create', name, c: number },
      ...[...documents].map(([id, document]) => ({ kind: 'put', c: number, id, document })),
    ]);
    const bytes = Uint8Array.from(all.flatMap((op) => [...encode(op)]));
    const [blob, total] = [this.generation + 1, bytes.length];
    for (let offset = 0; offset < total; offset += 100) {
      const piece = bytes.slice(offset, offset + 100);
      this.#push({ kind: 'blob', blob, type: 1, offset, total, bytes: piece }, true);
    }
    this.generation += 1;
    this.#push({ kind: 'log', generation: this.generation, bytes: encode('header') }, true);
    return this.#push({ kind: 'flip', generation: this.generation, bytes: encode({ blob, length: total }) }, true);
  }

  job(c) {
    const total = this.#open(c).documents.size;
    return this.#jobs.has(c) ? JSON.stringify({ kind: 'seal', done: this.#jobs.get(c), total }) : undefined;
  }

  /** A task looks at every document; a relink writes each once more. */
  beginTask(c, kind) {
    this.#open(c);
    const number = (this.module.tasks = (this.module.tasks ?? 0) + 1);
    this.#tasks.set(number, { c, kind, done: 0 });
    return number;
  }

  stepTask(number, documents) {
    const task = this.#tasks.get(number) ?? refuse('closed');
    const all = [...this.#open(task.c).documents];
    const until = Math.min(task.done + documents, task.done + (this.module.stepMax ?? documents), all.length);
    const [step, { c, kind }] = [all.slice(task.done, until), task];
    if (step.length === 0) {
      this.#tasks.delete(number);
      return { ticket: 0, answer: JSON.stringify({ documents: task.done, linked: task.done }) };
    }
    task.done = until;
    const written = kind === 'relink' ? step.map(([id, document]) => this.#do({ kind: 'put', c, id, document })) : [];
    return { ticket: written.at(-1) ?? 0 };
  }

  taskProgress(number) {
    const { c, kind, done } = this.#tasks.get(number) ?? refuse('closed');
    return JSON.stringify({ kind, done, total: this.#open(c).documents.size });
  }

  endTask(number) {
    this.#tasks.delete(number);
    this.module.openTasks = this.#tasks.size;
  }

  abandon(c) {
    this.module.abandoned = (this.module.abandoned ?? 0) + 1;
    this.#jobs.delete(c);
  }

  sync() {
    return this.#push({ kind: 'sync' }, true);
  }

  takeWork() {
    const taken = this.#queue.splice(0);
    if (taken.length === 0) return undefined;
    const strict = taken.some((item) => item.strict);
    return { ticket: taken.at(-1).ticket, strict, work: taken.map(({ work }) => work) };
  }

  kept() {}

  free() {
    this.freed = true;
  }
}
