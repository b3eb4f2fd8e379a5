// Where the tables lie that `npm run bench -- distil` makes.

/** The folder in the cache that has a folder of each. */
export const DISTILLED = 'bench/distilled';
/** How many numbers a token has in each. */
export const DIMS = [256, 128, 64];
