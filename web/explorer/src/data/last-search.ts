// What the last search of a collection found, for pages that show it elsewhere. Kept as long as the page.

const last = new Map<string, readonly string[]>();

const keyOf = (source: string, collection: string) => JSON.stringify([source, collection]);

/** Remembers the ids of the hits, the best first. */
export function rememberSearch(source: string, collection: string, ids: readonly string[]): void {
  last.set(keyOf(source, collection), ids);
}

/** The ids that were found last; none before the first search. */
export const lastSearch = (source: string, collection: string): readonly string[] => last.get(keyOf(source, collection)) ?? [];
