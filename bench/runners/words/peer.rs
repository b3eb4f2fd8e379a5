//! Tantivy: an index in a folder, merged into one segment, with the same words as KithDB: Lucene's stop words, Snowball's
//! English stemmer, term frequencies and positions. It stores the text too, as a database does.

use std::fs;
use std::path::Path;

use tantivy::collector::TopDocs;
use tantivy::query::BooleanQuery;
use tantivy::schema::{Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions, Value};
use tantivy::tokenizer::{
    Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter, TextAnalyzer,
    TokenStream,
};
use tantivy::{DocAddress, Index, IndexReader, IndexWriter, Searcher, TantivyDocument, Term, doc};

use crate::{Engine, Gloss, K, Result};

const MEMORY_BYTES: usize = 256 << 20;
/// The files that hold postings: lists, dictionary, lengths.
const POSTINGS: [&str; 3] = ["idx", "term", "fieldnorm"];
const POSITIONS: [&str; 1] = ["pos"];

pub struct Peer {
    folder: std::path::PathBuf,
    reader: IndexReader,
    analyzer: TextAnalyzer,
    id: Field,
    gloss: Field,
}

/// Indexes all glosses in one segment.
pub fn build(glosses: &[Gloss], folder: &Path) -> Result<Peer> {
    fs::create_dir_all(folder)?;
    let analyzer = TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(64))
        .filter(LowerCaser)
        .filter(StopWordFilter::new(Language::English).ok_or("no stop words")?)
        .filter(Stemmer::new(Language::English))
        .build();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("words")
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let mut schema = Schema::builder();
    let id = schema.add_text_field("id", STORED);
    let gloss =
        schema.add_text_field("gloss", TextOptions::default().set_indexing_options(indexing).set_stored());
    let index = Index::create_in_dir(folder, schema.build())?;
    index.tokenizers().register("words", analyzer.clone());
    let mut writer: IndexWriter = index.writer_with_num_threads(1, MEMORY_BYTES)?;
    for one in glosses {
        writer.add_document(doc!(id => one.id.as_str(), gloss => one.text.as_str()))?;
    }
    writer.commit()?;
    let segments = index.searchable_segment_ids()?;
    if segments.len() > 1 {
        writer.merge(&segments).wait()?;
    }
    writer.garbage_collect_files().wait()?;
    writer.wait_merging_threads()?;
    Ok(Peer { folder: folder.to_owned(), reader: index.reader()?, analyzer, id, gloss })
}

impl Peer {
    fn best(&self, words: &str, searcher: &Searcher) -> Result<Vec<DocAddress>> {
        let (mut terms, mut analyzer) = (Vec::new(), self.analyzer.clone());
        analyzer.token_stream(words).process(&mut |token| {
            terms.push(Term::from_field_text(self.gloss, &token.text));
        });
        let query = BooleanQuery::new_multiterms_query(terms);
        let found = searcher.search(&query, &TopDocs::with_limit(K).order_by_score())?;
        Ok(found.into_iter().map(|(_, address)| address).collect())
    }

    fn bytes_of(&self, endings: &[&str]) -> Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let ending = entry.path().extension().map(|ending| ending.to_string_lossy().into_owned());
            if ending.is_some_and(|ending| endings.contains(&ending.as_str())) {
                bytes += entry.metadata()?.len();
            }
        }
        Ok(bytes)
    }
}

impl Engine for Peer {
    fn name(&self) -> &'static str {
        "tantivy"
    }

    fn search(&self, words: &str) -> Result<Vec<String>> {
        let (searcher, mut ids) = (self.reader.searcher(), Vec::new());
        for address in self.best(words, &searcher)? {
            let document: TantivyDocument = searcher.doc(address)?;
            let id = document.get_first(self.id).and_then(|id| id.as_str()).ok_or("a document without id")?;
            ids.push(id.to_owned());
        }
        Ok(ids)
    }

    fn rank(&self, words: &str) -> Result<Vec<u32>> {
        Ok(self.best(words, &self.reader.searcher())?.into_iter().map(|address| address.doc_id).collect())
    }

    fn posting_bytes(&self) -> Result<u64> {
        self.bytes_of(&POSTINGS)
    }

    fn position_bytes(&self) -> Result<u64> {
        self.bytes_of(&POSITIONS)
    }
}
