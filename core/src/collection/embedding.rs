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
        let collection = || name.to_owned();
        let Some(embedder) = self.0.as_deref() else {
            return Err(Error::from(StateError::NoEmbedder { collection: collection() }));
        };
        match &config.embedder {
            Some(wanted) if wanted.hash == embedder.hash() => Ok(embedder),
            Some(wanted) => {
                let told = |name: &str, hash| format!("{name:?} ({hash:016x})");
                let (expected, got) =
                    (told(&wanted.name, wanted.hash), told(embedder.name(), embedder.hash()));
                Err(StateError::OtherEmbedder { collection: collection(), expected, got }.into())
            }
            None => Err(StateError::NoEmbedder { collection: collection() }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An embedder of one word, whose table has this number.
    fn embedder(name: &str, number: u8) -> Arc<Embedder> {
        let header = r#"{"t":{"dtype":"I8","shape":[2,1],"data_offsets":[0,2]}}"#;
        let table = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0, number]].concat();
        let tokenizer = r###"{"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},
            "model":{"type":"WordPiece","unk_token":"?","continuing_subword_prefix":"##","vocab":{"?":0,"sea":1}}}"###;
        Arc::new(Embedder::load(name, &table, tokenizer.as_bytes()).expect("sound"))
    }

    #[test]
    fn a_collection_of_another_embedder_is_told_by_the_names_of_both() {
        let made_with = Embedding(Some(embedder("old", 1)));
        let config = CollectionConfig { embedder: made_with.reference(), ..CollectionConfig::default() };
        let ask = |embedding: &Embedding| {
            let mut request = SearchRequest { text: Some("sea".into()), ..SearchRequest::default() };
            embedding.ask("notes", &config, &mut request).map(|()| request.vector)
        };
        assert_eq!(ask(&made_with).expect("the same"), Some(vec![1.0]));
        assert_eq!(ask(&Embedding(None)).expect_err("none").code(), "no_embedder");
        // A directory may be renamed: what counts is what is in it.
        assert_eq!(ask(&Embedding(Some(embedder("new", 1)))).expect("the same"), Some(vec![1.0]));
        for name in ["new", "old"] {
            let told = ask(&Embedding(Some(embedder(name, 2))));
            let report = told.expect_err("another").report();
            assert_eq!(report.code, "no_embedder");
            assert!(report.expected.expect("told").starts_with("\"old\" ("), "{}", report.message);
            assert!(report.got.expect("told").starts_with(&format!("\"{name}\" (")), "{}", report.message);
            assert!(report.hint.expect("told").starts_with("start with that embedder"));
        }
    }
}
