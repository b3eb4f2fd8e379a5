//! The tokenisers that are known.

use super::bpe::Bpe;
use super::word_piece::WordPiece;

/// A tokeniser: a text in, numbers of tokens out.
#[derive(Debug)]
pub(super) enum Tokenizer {
    Bpe(Bpe),
    WordPiece(WordPiece),
}

impl Tokenizer {
    /// The tokens of a text.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        match self {
            // The files do not say it, but such tables are made for lower case.
            Self::Bpe(bpe) => bpe.tokens(&text.to_lowercase()),
            Self::WordPiece(word_piece) => word_piece.tokens(text),
        }
    }

    /// The token of what has none; it says nothing of a text.
    pub fn unknown(&self) -> Option<u32> {
        match self {
            Self::Bpe(bpe) => bpe.unknown,
            Self::WordPiece(word_piece) => Some(word_piece.unknown),
        }
    }
}
