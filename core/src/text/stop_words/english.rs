//! English: the 33 words of Lucene's `EnglishAnalyzer`, sorted by bytes.

/// English words without a meaning of their own.
pub(in crate::text) const ENGLISH: &str = list![
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to",
    "was", "will", "with",
];
