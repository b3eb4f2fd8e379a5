// The operations of a surface over the package's public interface, the same for every engine.

/**
 * `open(path, options)` opens a database, `afterClose()` ends what it runs in; `load(file)` and `save(file, bytes)` reach
 * the runner's files. `hasSync` says whether the engine that is open answers before a call returns.
 */
export function operations({ open, load, save, afterClose = () => {}, hasSync = () => true }) {
  let database;
  let searches = 0;

  const collection = (name) => {
    if (!database) throw new Error('open a database first');
    return database.collection(name);
  };

  const job = (kind) => async ({ name }) => ({ done: await collection(name)[kind]() });

  const close = async () => {
    await database?.close();
    database = undefined;
    await afterClose();
  };

  return {
    async open({ path, ...options }) {
      await close();
      database = await open(path, options);
    },
    close,
    create: async ({ name, config }) => (await database.create(name, config)).info(),
    drop: ({ name }) => database.drop(name),
    stats: async () => ({ collections: await database.stats() }),
    collections: async () => ({ collections: await database.collections() }),
    info: ({ name }) => collection(name).info(),
    add: ({ name, documents, mode, ...options }) =>
      mode === 'insert'
        ? collection(name).addMany(documents, options)
        : collection(name).upsertMany(documents, options),
    get: async ({ name, ids, ...options }) => ({ documents: await collection(name).getMany(ids, options) }),
    versions: async ({ name, id }) => ({ versions: await collection(name).versions(id) }),
    touch: async ({ name, ids, ...options }) => ({ touched: await collection(name).touch(ids, options) }),
    touches: async ({ name, ids }) => ({ touches: await collection(name).touches(ids) }),
    delete: async ({ name, ids, ...options }) => ({ deleted: await collection(name).delete(ids, options) }),
    link: async ({ name, edges, ...options }) => ({ linked: await collection(name).graph.link(edges, options) }),
    unlink: async ({ name, edges, ...options }) => ({ unlinked: await collection(name).graph.unlink(edges, options) }),
    edges: ({ name, request }) => collection(name).graph.edges(request),
    traverse: ({ name, request }) => collection(name).graph.traverse(request),
    subgraph: ({ name, request }) => collection(name).graph.subgraph(request),
    path: ({ name, request }) => collection(name).graph.path(request),
    components: ({ name, request }) => collection(name).graph.components(request),
    // Every second search is a synchronous one: they are to answer the same.
    search: ({ name, request }) => {
      searches += 1;
      return hasSync() && searches % 2 === 0 ? collection(name).searchSync(request) : collection(name).search(request);
    },
    scan: ({ name, ...page }) => collection(name).page(page),
    search_many: async ({ name, searches }) => ({ results: await collection(name).searchMany(searches) }),
    seal: job('seal'),
    index: job('index'),
    merge: job('merge'),
    vacuum: job('vacuum'),
    graph_vacuum: async ({ name }) => ({ done: await collection(name).graph.vacuum() }),
    recode: job('recode'),
    refine: job('refine'),
    optimize: job('optimize'),
    relink: ({ name }) => collection(name).graph.relink(),
    job: async ({ name }) => ({ job: await collection(name).job() }),
    cancel_job: async ({ name }) => ({ cancelled: await collection(name).cancelJob() }),
    estimate: ({ name, ...request }) => collection(name).estimate(request),
    compress: async ({ name, codes }) => {
      await collection(name).compress(codes);
      return collection(name).info();
    },
    configure: async ({ name, ...change }) => {
      await collection(name).configure(change);
      return collection(name).info();
    },
    export: async ({ name, file }) => save(file, await collection(name).export()),
    import: async ({ name, file }) => (await database.import(name, await load(file))).info(),
    kv_get: async ({ key }) => ({ value: await database.kv.get(key) }),
    kv_set: async ({ key, value, ...options }) => ({ replaced: Number(await database.kv.set(key, value, options)) }),
    kv_delete: async ({ key, ...options }) => ({ deleted: Number(await database.kv.delete(key, options)) }),
    kv_list: (request) => database.kv.list(request),
    flush: () => database.flush(),
  };
}
