// Makes a database inside an instance, and brings it what it needs from the store.

import { KithError } from '../errors.js';
import type { EmbedderFiles } from './embedder.js';
import type { Inhabitant, Instance } from './instance.js';
import type { Missing, WasmDatabase } from './module.js';
import type { Store } from './store.js';

/** What a database is made with. */
export interface Ingredients {
  /** The JSON of the options that the core knows. */
  options: string;
  embedder: EmbedderFiles | undefined;
}

/** A database in memory, which is empty. */
export function inMemory(instance: Instance, owner: Inhabitant, ingredients: Ingredients): WasmDatabase {
  return instance.call(owner, () => {
    const database = instance.module.WasmDatabase.memory(ingredients.options);
    setEmbedder(database, ingredients.embedder);
    return database;
  });
}

/** The database that a store holds. */
export async function restored(
  instance: Instance,
  owner: Inhabitant,
  ingredients: Ingredients,
  store: Store,
): Promise<WasmDatabase> {
  const snapshot = await store.snapshot();
  const database = instance.call(owner, () => {
    const empty = instance.module.WasmDatabase.restore(ingredients.options, snapshot);
    setEmbedder(empty, ingredients.embedder);
    return empty;
  });
  try {
    await provide(instance, owner, database, store);
  } catch (error) {
    if (!instance.dead) instance.call(owner, () => database.free());
    throw error;
  }
  return database;
}

/** Gives an empty database its embedder, within a call of its instance. */
export function setEmbedder(database: WasmDatabase, embedder: EmbedderFiles | undefined): void {
  if (embedder) database.setEmbedder(embedder.name, embedder.model, embedder.tokenizer);
}

/** So many blobs are read at once. */
const AT_ONCE = 2;

async function provide(instance: Instance, owner: Inhabitant, database: WasmDatabase, store: Store): Promise<void> {
  const provided = new Set<string>();
  for (;;) {
    const missing = instance.call(owner, () => database.missing());
    if (missing.length === 0) return;
    for (const { blob, storage } of missing) {
      const name = `blob ${blob} of storage ${storage}`;
      if (provided.has(name)) throw new KithError({ code: 'internal', message: `${name} was asked for twice` });
      provided.add(name);
    }
    const rest = [...missing];
    const read = async () => {
      try {
        for (let blob = rest.shift(); blob; blob = rest.shift()) await provideBlob(instance, owner, database, store, blob);
      } catch (error) {
        rest.length = 0;
        throw error;
      }
    };
    // All of them have ended before the database goes.
    const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, read));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  }
}

async function provideBlob(
  instance: Instance,
  owner: Inhabitant,
  database: WasmDatabase,
  store: Store,
  { storage, blob, length }: Missing,
): Promise<void> {
  await store.read(storage, blob, (offset, bytes) => {
    instance.call(owner, () => database.provide(storage, blob, offset, length, bytes));
  });
}
