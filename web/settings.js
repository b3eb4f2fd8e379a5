// The page's defaults, all of them: numbers, names and examples that one may want to change.

/** What a search starts with. `alpha` is the share of the meaning, 0 to 1. */
export const SEARCH = { alpha: 0.5, alphaStep: 0.05, k: 10, kMax: 100 };

/** Waits in ms. A keystroke in a filter is nearly always half a filter, so that one waits longer. */
export const WAIT = { text: 180, filter: 450, busy: 150, announce: 700, settled: 1500, copied: 1800 };

/** How long a result takes to its new place, in ms, and how. */
export const MOTION = { move: 320, appear: 220, easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)' };

/** Metadata fields that make good titles and texts, the best first. */
export const TITLE_FIELDS = ['lemmas', 'title', 'name', 'headline', 'subject', 'label'];
export const TEXT_FIELDS = ['gloss', 'text', 'content', 'body', 'abstract', 'description', 'summary', 'chunk'];

/** What a card shows of a document. */
export const CARD = { chipsMax: 8, chipLength: 40, textLength: 600 };

/** Example queries of the collections that come as a demo. */
export const EXAMPLES = {
  wordnet: [
    'very tall quadruped with a long neck that lives in Africa',
    'instrument for measuring atmospheric pressure',
    'fear of open spaces',
    'collector of postage stamps',
    'word that reads the same backwards',
    'to speak very softly',
    'person who studies insects',
    'house made of blocks of snow',
  ],
};

/** What a demo can be asked in a tab, where usually a part of it is: animals, plants and food. */
export const TAB_EXAMPLES = {
  wordnet: [
    'very tall quadruped with a long neck that lives in Africa',
    'flightless bird of cold southern seas',
    'whale with a long tusk',
    'long thin pasta',
    'snake that squeezes its prey',
    'hot drink made from leaves',
    'extinct giant reptile',
    'sauce made from tomatoes',
  ],
};

/** What a filter looks like; for a demo, one of its own. */
export const FILTER_EXAMPLE = "year >= 1990 AND lang = 'en'";
export const FILTER_EXAMPLES = { wordnet: "lexical_file = 'noun.animal'" };

/** How something gets in; shown when there is nothing to search. */
export const LOAD_COMMAND = 'kithdb load --data DIR --collection notes --embedder EMBEDDER notes.jsonl';
export const FIRST = { collection: 'notes', document: { id: 'first', metadata: { title: 'A note', text: 'What it says.' } } };
export const SERVE_COMMAND = 'kithdb serve --data DIR --listen 127.0.0.1:9091 --embedder EMBEDDER';

/** The engine in the tab: the name of its database, how often and after how many ms a lock is tried, and a note to itself. */
export const TAB = { database: 'page', lockTries: 10, lockPause: 150, unfinished: 'kithdb.unfinished' };

/**
 * Copying into the tab: documents fetched at once, the most that one filter can answer, documents stored at once, and
 * how many are taken unless the reader says otherwise.
 */
export const COPY = {
  page: 2_000, answerMax: 10_000, batch: 500, most: 10_000, roots: 1_000, aroundMax: 100_000, edges: 10_000,
};

/** Which part of a demo is copied unless the reader says otherwise: filters, each lets documents through by itself. */
export const PARTS = {
  wordnet: ["lexical_file = 'noun.animal'", "lexical_file = 'noun.plant'", "lexical_file = 'noun.food'"],
};
