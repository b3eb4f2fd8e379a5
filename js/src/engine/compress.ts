// Other codes for a whole collection: segment by segment, with progress, until it is done or cancelled.

import { KithError } from '../errors.js';
import type { Codes, Collection, CompressOptions } from '../types.js';
import { watched } from './watch.js';

/** Gives every segment these codes; when it is cancelled, the collection is to have the codes that it had before. */
export async function compress<M extends object>(
  collection: Collection<M>,
  codes: Codes,
  options?: CompressOptions,
): Promise<void> {
  const work = async (goesOn: () => void) => {
    const before = (await collection.info()).codes;
    await collection.configure({ codes });
    try {
      do goesOn();
      while (await collection.recode());
    } catch (error) {
      if (error instanceof KithError && error.code === 'cancelled') await collection.configure({ codes: before });
      throw error;
    }
  };
  await watched(collection, 'recode', 'compress', work, options);
}
