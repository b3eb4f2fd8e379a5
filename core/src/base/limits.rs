//! Every bound on outside data, in one place. A length is checked here before anything is allocated for it.

/// Longest document id, in bytes.
pub const ID_BYTES_MAX: usize = 1024;
/// Longest collection name, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest key of the key-value store, in bytes: an id, less what tells its documents apart.
pub const KV_KEY_BYTES_MAX: usize = 1000;
/// Largest value of the key-value store, in bytes.
pub const KV_VALUE_BYTES_MAX: usize = 16 << 20;
/// Most that the host keeps for itself under one name, in bytes.
pub const KV_OWN_BYTES_MAX: usize = 512 << 10;
/// Largest vector dimension.
pub const DIM_MAX: usize = 65_536;
/// Largest magnitude of a vector component: its square times `DIM_MAX` is still a finite f32.
pub const COMPONENT_MAX: f32 = 1e15;
/// Largest metadata of one document, in canonical bytes.
pub const METADATA_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of metadata.
pub const METADATA_DEPTH_MAX: usize = 32;
/// Most results of one search.
pub const K_MAX: usize = 10_000;
/// Most results of one search that explains each: an explanation reads postings again.
pub const EXPLAIN_MAX: usize = 1_000;
/// Widest beam of an index search.
pub const EF_MAX: usize = 20_000;
/// Most searches in one batch.
pub const SEARCHES_MAX: usize = 1_000;
/// Most results of all searches of one batch.
pub const RESULTS_MAX: usize = 100_000;
/// Most documents in one batch.
pub const BATCH_MAX: usize = 50_000;
/// Most documents in one bulk import.
pub const BULK_MAX: usize = 1_000_000;
/// Most documents in one page of a scan.
pub const SCAN_MAX: usize = 10_000;
/// Longest filter, in bytes.
pub const FILTER_BYTES_MAX: usize = 64 << 10;
/// Deepest nesting of a filter.
pub const FILTER_DEPTH_MAX: usize = 64;
/// Most comparisons in a filter.
pub const FILTER_NODES_MAX: usize = 1024;
/// Longest path of a metadata field that a filter can name (`a.b.c`), in bytes; longer ones are stored, not indexed.
pub const FIELD_PATH_BYTES_MAX: usize = 256;
/// Most neighbours of a vector above the base layer of an index, where it has twice as many.
pub const LINKS_MAX: usize = 256;
/// Most fields that one search counts.
pub const FACETS_MAX: usize = 32;
/// Most values of a field that one search tells.
pub const FACET_VALUES_MAX: usize = 10_000;
/// Most ranges of a field that one search counts.
pub const FACET_RANGES_MAX: usize = 256;
/// Most half-lives by layer of one search.
pub const DECAY_LAYERS_MAX: usize = 64;
/// Most fields that results are sorted by.
pub const SORT_KEYS_MAX: usize = 4;
/// Fields of a collection with a language of their own: a query is analysed once for each.
pub const FIELD_LANGUAGES_MAX: usize = 64;
/// Fields of a collection that count more or less than the others.
pub const FIELD_WEIGHTS_MAX: usize = 64;
/// The least that a field counts: a word that every document has still adds something to an f32.
pub const FIELD_WEIGHT_MIN: f64 = 1e-6;
/// The most that a field counts.
pub const FIELD_WEIGHT_MAX: f64 = 1000.0;
/// The longest that a repeated word goes on counting: from there on its frequency is nearly all that counts.
pub const K1_MAX: f64 = 100.0;
/// Longest words part of a query, in bytes.
pub const QUERY_TEXT_BYTES_MAX: usize = 64 << 10;
/// Most terms that one word of a query stands for, as the beginning of words or with a typo.
pub const EXPANSIONS_MAX: usize = 64;
/// Most words of a query that stand for others, as the beginning of words or with a typo: each looks through the dictionary.
pub const EXPANDING_TERMS_MAX: usize = 32;
/// Most conditions of a query: what must or must not be there.
pub const CONDITIONS_MAX: usize = 64;
/// Most words of a phrase.
pub const PHRASE_WORDS_MAX: usize = 64;
/// Most text fields that a request names for highlighting.
pub const HIGHLIGHT_FIELDS_MAX: usize = 64;
/// Longest passage of a text that a result shows, in bytes.
pub const PASSAGE_BYTES_MAX: usize = 10_000;
/// How often a term stands in a field at most: a byte of metadata gives less than two words, however it is normalised.
pub const TERM_FREQUENCY_MAX: u64 = 4 * METADATA_BYTES_MAX as u64;
/// Longest term kept of a text, in bytes; longer ones are cut at a character.
pub const TERM_BYTES_MAX: usize = 64;
/// Generations, positions in logs, seqs and numbers of blobs are below this, so that counting on never overflows.
pub const COUNT_END: u64 = 1 << 63;
/// Largest frame of a log, in bytes.
pub const FRAME_BYTES_MAX: usize = 64 << 20;
/// Largest manifest or catalog, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 64 << 20;
/// Most vectors of an estimate's sample.
pub const ESTIMATE_SAMPLE_MAX: usize = 200_000;
/// Largest sample of an estimate, in bytes of f32.
pub const ESTIMATE_BYTES_MAX: usize = 256 << 20;
/// Most queries of an estimate.
pub const ESTIMATE_QUERIES_MAX: usize = 1_000;
/// Most neighbours that an estimate compares.
pub const ESTIMATE_K_MAX: usize = 100;
/// Longest name of a relation, in bytes.
pub const RELATION_BYTES_MAX: usize = 256;
/// Longest path of relations that a traversal follows, in bytes.
pub const PATH_BYTES_MAX: usize = 4096;
/// Most edges one behind the other that a reading of the graph follows.
pub const GRAPH_DEPTH_MAX: usize = 32;
/// Most relations or paths that one reading of the graph names.
pub const GRAPH_RELATIONS_MAX: usize = 256;
/// Most documents that one reading of the graph answers.
pub const GRAPH_NODES_MAX: usize = 100_000;
/// Most edges that one reading of the graph looks at.
pub const GRAPH_EDGES_MAX: usize = 10_000_000;
/// Most other collections that one reading of the graph is followed into.
pub const GRAPH_COLLECTIONS_MAX: usize = 256;
/// Most hits of a search whose neighbours join it.
pub const EXPAND_HITS_MAX: usize = 1_000;
/// Most rules by which a collection links documents.
pub const AUTO_LINKS_MAX: usize = 32;
/// Most edges that the rules of a collection make of one document, those that lead back included.
pub const AUTO_LINK_EDGES_MAX: usize = 10_000;
/// What the edges that rules make of one batch take at most, in bytes of memtable.
pub const AUTO_LINK_BYTES_MAX: usize = 256 << 20;
/// Widest search for neighbours while an index is built.
pub const EF_CONSTRUCTION_MAX: u32 = 4096;
/// Most collections in one database.
pub const COLLECTIONS_MAX: usize = 10_000;
/// Most slots in one segment or chunk.
pub const SLOTS_MAX: usize = 1 << 31;
/// Most tokens of an embedder.
pub const EMBEDDER_VOCABULARY_MAX: usize = 1 << 20;
/// Largest file of an embedder, in bytes.
pub const EMBEDDER_FILE_BYTES_MAX: usize = 1 << 30;
/// How much of a text is embedded, in bytes; what follows has no part in its vector.
pub const EMBED_TEXT_BYTES_MAX: usize = 1 << 20;
