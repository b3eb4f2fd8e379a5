//! Texts that come without a vector: documents get theirs before they are written, queries before they are searched.
//!
//! Core stores only the embedder's name and hash; the host holds the embedder itself.

use std::sync::Arc;

use crate::base::{Error, Pool, Result, StateError};
use crate::embed::Embedder;
use crate::text::syntax::positive;

use super::{CollectionConfig, Document, EmbedderRef, SearchRequest};

/// The embedder that a host has, if any.
#[derive(Debug, Clone, Default)]
pub struct Embedding(pub Option<Arc<Embedder>>);

impl Embedding {
    /// Its name and hash, as a collection stores them.
    #[must_use]
    pub fn reference(&self) -> Option<EmbedderRef> {
        self.0.as_ref().map(|e| EmbedderRef { name: e.name().to_owned(), hash: e.hash() })
    }

    /// Gives documents without a vector one, when the collection named `name` names an embedder. On several threads:
    /// this is most of the work of storing a short text.
    ///
    /// # Errors
    /// `no_embedder` when it is another embedder, or none is there.
    pub fn fill(
        &self,
        name: &str,
        config: &CollectionConfig,
        pool: &Pool,
        documents: &mut [Document],
    ) -> Result<()> {
        let (Some(_), Some(text)) = (&config.embedder, &config.text) else { return Ok(()) };
        let bare: Vec<usize> = (0..documents.len()).filter(|i| documents[*i].vector.is_none()).collect();
        if bare.is_empty() {
            return Ok(());
        }
        let embedder = self.of(name, config)?;
        // What is embedded of a document: its texts, by field, one a line.
        let joined = |document: &Document| {
            let texts: Vec<&str> = text.texts(&document.metadata).into_iter().map(|(_, text)| text).collect();
            texts.join("\n")
        };
        let vectors = pool.map(bare.len(), |i| embedder.embed(&joined(&documents[bare[i]])));
        for (i, vector) in bare.into_iter().zip(vectors) {
            documents[i].vector = vector;
        }
        Ok(())
    }

    /// Gives a query with a text and no vector one, when the collection named `name` names an embedder.
    ///
    /// # Errors
    /// As [`Embedding::fill`].
    pub fn ask(&self, name: &str, config: &CollectionConfig, request: &mut SearchRequest) -> Result<()> {
        if let (Some(text), None, Some(_)) = (&request.text, &request.vector, &config.embedder) {
            let text = if request.plain { text.into() } else { positive(text) };
            request.vector = self.of(name, config)?.embed(&text);
        }
        Ok(())
    }

    fn of(&self, name: &str, config: &CollectionConfig) -> Result<&Embedder> {
        let wanted = config.embedder.as_ref().map(|reference| reference.hash);
        self.0
            .as_deref()
            .filter(|embedder| Some(embedder.hash()) == wanted)
            .ok_or_else(|| Error::from(StateError::NoEmbedder { collection: name.to_owned() }))
    }
}
