//! The embedder: tokeniser, table, mean.

use super::table::Table;
use super::tokenizer::Tokenizer;
use super::tokenizer_file;
use crate::base::Result;
use crate::base::crc32c::crc32c;
use crate::base::limits::EMBED_TEXT_BYTES_MAX;
use crate::base::rng::mix;
use crate::kernels::dot_f32;

/// Shortest mean that still has a direction.
const NORM_MIN: f32 = 1e-15;

/// Makes vectors of texts.
#[derive(Debug)]
pub struct Embedder {
    name: String,
    hash: u64,
    tokenizer: Tokenizer,
    table: Table,
}

impl Embedder {
    /// Reads a table (`safetensors`, one matrix of I8, F16 or F32) and its tokeniser (`tokenizer.json`, BPE or BERT's
    /// WordPiece).
    ///
    /// # Errors
    /// `invalid_file` when either is not of that form or asks for what is not done here.
    pub fn load(name: &str, model_safetensors: &[u8], tokenizer_json: &[u8]) -> Result<Self> {
        let (table, tokenizer) = (Table::read(model_safetensors)?, tokenizer_file::read(tokenizer_json)?);
        let halves = [model_safetensors, tokenizer_json]
            .map(|bytes| mix(u64::from(crc32c(bytes)) << 32 ^ bytes.len() as u64));
        let hash = mix(halves[0] ^ mix(halves[1]));
        Ok(Self { name: name.to_owned(), hash, tokenizer, table })
    }

    /// What collections call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells two embedders of one name apart: equal exactly when both files are equal, but for accidents.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The dimension of its vectors.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.table.dim()
    }

    /// The tokens of a text, which BPE takes in lower case and WordPiece as its file says; of one longer than [`EMBED_TEXT_BYTES_MAX`], those of its beginning.
    #[must_use]
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        let mut end = text.len().min(EMBED_TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.tokenizer.tokens(&text[..end])
    }

    /// The vector of a text, of length one; none for a text that is blank or all unknown.
    ///
    /// # Shapes
    /// `dim` components; the same bits on every target.
    ///
    /// # Complexity
    /// `n log n` in the text's characters, and `dim` additions a token.
    #[must_use]
    pub fn embed(&self, text: &str) -> Option<Vec<f32>> {
        if text.trim().is_empty() {
            return None;
        }
        let (mut sum, mut row) = (vec![0f32; self.dim()], vec![0f32; self.dim()]);
        let unknown = self.tokenizer.unknown();
        let mut count = 0u32;
        for token in self.tokens(text) {
            let known = Some(token) != unknown;
            if known && self.table.add_row(token, &mut row, &mut sum) {
                count += 1;
            }
        }
        sum.iter_mut().for_each(|x| *x /= count.max(1) as f32);
        let norm = dot_f32(&sum, &sum).sqrt();
        if norm < NORM_MIN {
            return None;
        }
        sum.iter_mut().for_each(|x| *x /= norm);
        Some(sum)
    }
}
