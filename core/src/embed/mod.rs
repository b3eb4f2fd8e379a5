//! Static token embeddings: text in, vector out, the same numbers everywhere.
//!
//! A table of token vectors and a tokeniser are read from files that the host gives; a text's vector is the mean of
//! its tokens' rows, at length one. Nothing is trained and nothing depends on the neighbours of a word.

mod bpe;
mod embedder;
mod table;
mod tokenizer;
mod tokenizer_file;
mod word_piece;

pub use embedder::Embedder;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod word_piece_tests;
