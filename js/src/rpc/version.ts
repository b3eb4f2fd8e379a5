// The version of what goes over links, and is said around them: between tabs, and between a page and its Worker.

/**
 * What the verbs of each version come to, the first version first (tests/js/rpc.test.mjs says what this one is). Whoever changes the
 * verbs or their arguments adds one, and whoever changes the messages themselves the last one once more: none is ever replaced.
 */
export const VERBS: readonly string[] = ['b72844dda8b37c7d', 'b53a9212b0983e53', '6d907f72b5fffea9', '6d907f72b5fffea9'];

/** Two builds of one version understand each other. Others say so, and ask nothing. */
export const VERSION = VERBS.length;
