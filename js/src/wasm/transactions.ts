// IndexedDB by promises: requests, transactions and keys.

/** A request's result. Awaiting it keeps its transaction alive as long as the next request follows at once. */
export function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

/** The end of a transaction: rejects with what aborted it. */
export function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((done, fail) => {
    transaction.oncomplete = () => done();
    transaction.onabort = () => fail(transaction.error ?? new DOMException('the transaction was aborted', 'AbortError'));
  });
}

/** Does `work` in a transaction, and resolves when it is complete. If anything fails, nothing of it is stored. */
export async function transact<T>(
  database: IDBDatabase,
  stores: readonly string[],
  mode: 'readonly' | 'readwrite',
  durability: 'strict' | 'relaxed',
  work: (transaction: IDBTransaction) => Promise<T>,
): Promise<T> {
  const transaction = database.transaction([...stores], mode, { durability });
  const end = ended(transaction);
  end.catch(() => {}); // It is looked at below, after `work` has failed.
  let value: T;
  try {
    value = await work(transaction);
    transaction.commit();
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // It was aborted before: that is what `work` failed with.
    }
    const reason = await end.then(() => error, (aborted: unknown) => aborted);
    throw transaction.error ? reason : error;
  }
  await end;
  return value;
}

/** All keys that begin with these parts. */
export function startingWith(...parts: number[]): IDBKeyRange {
  // An array is greater than any number, so this is behind every key that goes on.
  return IDBKeyRange.bound(parts, [...parts, []]);
}

/** Bytes in memory of their own: IndexedDB would store all of the memory that a view is part of. */
export function alone(bytes: Uint8Array): Uint8Array {
  const isWhole = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return isWhole ? bytes : bytes.slice();
}

/** One array of all of them. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
