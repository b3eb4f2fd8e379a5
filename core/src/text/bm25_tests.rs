//! BM25 against a naive oracle, over random documents, random parts and random ends.

use proptest::prelude::*;

use super::*;
use crate::base::limits::QUERY_TEXT_BYTES_MAX;
use crate::storage::{Blob, BlobId, BlobKind, Section};
use crate::text::Analyzer;
use crate::text::{Language, MemoryPostings, TextIndex};

type Document = Vec<(&'static str, String)>;

fn documents() -> impl Strategy<Value = Vec<Document>> {
    let field = (prop::sample::select(vec!["title", "text", "note"]), "([a-f]{1,2} ){0,8}");
    prop::collection::vec(prop::collection::vec(field, 0..4), 0..30)
}

fn borrowed(document: &Document) -> Vec<(&str, &str)> {
    document.iter().map(|(name, text)| (*name, text.as_str())).collect()
}

fn postings<'a>(analyzer: &Analyzer, documents: impl Iterator<Item = &'a Document>) -> MemoryPostings {
    let mut part = MemoryPostings::new();
    for (slot, document) in documents.enumerate() {
        part.push(analyzer, slot as u32, &borrowed(document));
    }
    part
}

fn blob_of(sections: &[Section]) -> Result<Blob> {
    let id = BlobId::new(1, 1, BlobKind::Text);
    Blob::in_memory(id, sections)
}

fn sealed(part: &MemoryPostings) -> TextIndex {
    let blob = blob_of(&part.sections(part.n_slots() + 1)).expect("just built");
    TextIndex::open(&blob).expect("just built")
}

/// The words of a field, however often the field stands in the document.
fn words<'a>(document: &'a Document, field: &str) -> Vec<&'a str> {
    let of_field = document.iter().filter(|(name, _)| *name == field);
    of_field.flat_map(|(_, text)| text.split_whitespace()).collect()
}

/// Numbers of scoring that are not those by default, and those that are.
fn scorings() -> impl Strategy<Value = Scoring> {
    let weights =
        prop::collection::btree_map(prop::sample::select(vec!["title", "text"]), 0.1f64..10.0, 0..3);
    let made = (0.0f64..=3.0, 0.0f64..=1.0, weights).prop_map(|(k1, b, weights)| {
        let weights = weights.into_iter().map(|(field, weight)| (field.to_owned(), weight)).collect();
        Scoring { k1, b, weights }
    });
    prop_oneof![Just(Scoring::default()), made]
}

/// BM25 as its formula reads.
fn oracle(
    live: &[&Document],
    document: &Document,
    query: &[&str],
    only: Option<&str>,
    scoring: &Scoring,
) -> f64 {
    let Scoring { k1, b, weights } = scoring;
    let mut score = 0.0;
    for word in query {
        for field in ["note", "text", "title"] {
            if only.is_some_and(|only| only != field) {
                continue;
            }
            let lengths: Vec<usize> = live.iter().map(|d| words(d, field).len()).filter(|&l| l > 0).collect();
            let df = live.iter().filter(|d| words(d, field).contains(word)).count() as f64;
            let own = words(document, field);
            let tf = own.iter().filter(|w| *w == word).count() as f64;
            if tf > 0.0 {
                let n = lengths.len() as f64;
                let average = lengths.iter().sum::<usize>() as f64 / n;
                let idf = libm::log(1.0 + (n - df + 0.5) / (df + 0.5));
                let weight = weights.get(field).unwrap_or(&1.0);
                let norm = k1 * (1.0 - b + b * own.len() as f64 / average);
                score += weight * idf * tf * (k1 + 1.0) / (tf + norm);
            }
        }
    }
    score
}

/// Scores of all live documents in their order, for one spread over parts.
fn scores(
    analyzer: &Analyzer,
    documents: &[Document],
    ended: &[bool],
    cuts: &[usize],
    (query, scoring): (&Query, &Scoring),
    seal: bool,
) -> Vec<Option<u32>> {
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut % (documents.len() + 1)).collect();
    bounds.extend([0, documents.len()]);
    bounds.sort_unstable();
    let ranges: Vec<_> = bounds.windows(2).map(|pair| pair[0]..pair[1]).collect();
    let mut gone = TermCounts::new();
    for (document, _) in documents.iter().zip(ended).filter(|(_, ended)| **ended) {
        gone.add(&TermCounts::of_document(analyzer, &borrowed(document)));
    }
    let memory: Vec<_> = ranges.iter().map(|r| postings(analyzer, documents[r.clone()].iter())).collect();
    let segments: Vec<TextIndex> = memory.iter().map(sealed).collect();
    let pick = |i: usize| -> &dyn PostingSource {
        if seal && i.is_multiple_of(2) { &segments[i] } else { &memory[i] }
    };
    let parts: Vec<&dyn PostingSource> = (0..ranges.len()).map(pick).collect();
    let weights = Weights::gather(query, &parts, &[&gone], scoring).expect("sound");
    let mut all = vec![None; documents.len()];
    for (part, range) in parts.iter().zip(&ranges) {
        let mut live = Bitmap::empty(part.n_slots() as usize);
        range.clone().filter(|&i| !ended[i]).for_each(|i| live.insert(i - range.start));
        for (slot, score) in score(*part, &weights, Some(&live)).expect("sound") {
            let explained = explain(*part, &weights, slot).expect("sound");
            let sum = explained.iter().fold(0.0, |sum, part| sum + part.contribution) as f32;
            assert_eq!(sum.to_bits(), score.to_bits(), "the parts of an explanation add up");
            all[range.start + slot as usize] = Some(score.to_bits());
        }
    }
    all
}

proptest! {
    #[test]
    fn scores_are_those_of_the_formula_and_do_not_depend_on_layout(
        documents in documents(),
        ended in prop::collection::vec(any::<bool>(), 30),
        cuts in prop::collection::vec(0usize..100, 0..5),
        query_words in prop::collection::vec("[a-f]{1,2}", 0..5),
        only in prop::option::of(prop::sample::select(vec!["title", "text", "missing"])),
        scoring in scorings(),
    ) {
        let analyzer = Analyzer::new(Language::None);
        let query = Query::new(&analyzer, &query_words.join(" "), only).expect("short");
        let asked = (&query, &scoring);
        let flat = scores(&analyzer, &documents, &ended, &[], asked, false);
        prop_assert_eq!(&flat, &scores(&analyzer, &documents, &ended, &cuts, asked, true));
        let live: Vec<&Document> =
            documents.iter().zip(&ended).filter(|(_, ended)| !**ended).map(|(d, _)| d).collect();
        let asked: Vec<&str> = query_words.iter().map(String::as_str).collect();
        for (i, document) in documents.iter().enumerate() {
            let expected = if ended[i] { 0.0 } else { oracle(&live, document, &asked, only, &scoring) };
            let got = flat[i].map_or(0.0, |bits| f64::from(f32::from_bits(bits)));
            prop_assert!((expected - got).abs() <= 1e-5 * expected.max(1.0), "{} is not {}", got, expected);
            prop_assert_eq!(flat[i].is_some(), expected > 0.0);
        }
    }

    #[test]
    fn appended_parts_are_the_part_of_all_documents(documents in documents(), cut in 0usize..30) {
        let analyzer = Analyzer::new(Language::None);
        let cut = cut.min(documents.len());
        let whole = postings(&analyzer, documents.iter());
        let mut joined = postings(&analyzer, documents[..cut].iter());
        joined.append(&postings(&analyzer, documents[cut..].iter()), cut as u32);
        let n_slots = documents.len() as u32;
        for (a, b) in whole.sections(n_slots).iter().zip(&joined.sections(n_slots)) {
            prop_assert_eq!(&a.bytes, &b.bytes);
        }
    }

    #[test]
    fn damaged_sections_are_refused_or_read_cleanly(
        documents in documents(),
        section in 0usize..8,
        at: prop::sample::Index,
        byte: u8,
        cut: bool,
    ) {
        let analyzer = Analyzer::new(Language::None);
        let part = postings(&analyzer, documents.iter());
        let mut sections = part.sections(part.n_slots());
        let bytes = &mut sections[section].bytes;
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
        }
        // The checksums are right: only the meaning of the bytes is not.
        if let Ok(index) = blob_of(&sections).and_then(|blob| TextIndex::open(&blob)) {
            for first in 'a'..='f' {
                for field in ["note", "text", "title"] {
                    let _ = index.for_each_posting(field, &first.to_string(), &mut |posting| {
                        assert!(posting.slot < index.n_slots() && posting.tf <= posting.field_length);
                    });
                }
            }
        }
    }
}

#[test]
fn a_repeated_word_of_the_query_counts_twice() {
    let analyzer = Analyzer::new(Language::English);
    let part = postings(&analyzer, [vec![("text", "long neck".to_owned())]].iter());
    let of = |text| {
        let query = Query::new(&analyzer, text, None).expect("short");
        let weights = Weights::gather(&query, &[&part], &[], &Scoring::default()).expect("in memory");
        score(&part, &weights, None).expect("in memory")[0].1
    };
    assert_eq!(of("necks neck"), of("neck") * 2.0);
    assert!(Query::new(&analyzer, "the of and", None).expect("short").is_empty());
}

#[test]
fn a_query_beyond_the_limit_is_refused() {
    let long = "a".repeat(QUERY_TEXT_BYTES_MAX + 1);
    let refused = Query::new(&Analyzer::new(Language::None), &long, None).expect_err("too long");
    assert_eq!(refused.code(), "too_large");
}

#[test]
fn an_empty_part_seals_and_opens() {
    let index = sealed(&MemoryPostings::new());
    assert!(index.fields().is_empty());
    assert_eq!(index.df("text", "neck").expect("sound"), 0);
}
