// Makes a database inside an instance, and brings it what it needs from the store.

import { KithError } from '../errors.js';
import type { EmbedderFiles } from './embedder.js';
import { incomplete } from './errors.js';
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
    // Each takes the next of the same blobs. All of them have ended before the database goes.
    const rest = missing.values();
    const failures: unknown[] = [];
    const read = async () => {
      for (let next = rest.next(); failures.length === 0 && !next.done; next = rest.next()) {
        await provideBlob(instance, owner, database, store, next.value).catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, read));
    if (failures.length > 0) throw failures[0];
  }
}

async function provideBlob(
  instance: Instance,
  owner: Inhabitant,
  database: WasmDatabase,
  store: Store,
  { storage, blob, length }: Missing,
): Promise<void> {
  // Its file was cut off: nothing comes of it, and the core finds it damaged.
  if (length === 0) instance.call(owner, () => database.provide(storage, blob, 0, 0, new Uint8Array()));
  let there = 0;
  await store.read(storage, blob, (offset, bytes) => {
    instance.call(owner, () => database.provide(storage, blob, offset, length, bytes));
    there += bytes.length;
  });
  if (there < length) throw incomplete(storage, blob, length, there);
}
