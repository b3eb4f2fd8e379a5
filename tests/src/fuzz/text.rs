//! Texts: cut into terms, indexed in memory, written, read, found; and counts of terms as they are stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use kithdb::base::limits::TERM_BYTES_MAX;
use kithdb::base::{Reader, Writer};
use kithdb::storage::blob::{Resident, build};
use kithdb::storage::{Blob, BlobId, BlobKind};
use kithdb::text::{Analyzer, Language, MemoryPostings, PostingSource, Query, TermCounts, TextIndex};

use super::seed;

/// Above the languages: the bytes are counts of terms.
const COUNTS: u8 = Language::ALL.len() as u8;

thread_local! {
    static ANALYZERS: [Analyzer; Language::ALL.len()] = Language::ALL.map(Analyzer::new);
}

pub(super) fn run(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    if choice % (COUNTS + 1) == COUNTS {
        return counts(bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        ANALYZERS.with(|analyzers| analyse(&analyzers[usize::from(choice % (COUNTS + 1))], text));
    }
}

fn analyse(analyzer: &Analyzer, text: &str) {
    let mut terms: BTreeMap<String, u32> = BTreeMap::new();
    analyzer.analyse(text, |term| {
        assert!((1..=TERM_BYTES_MAX).contains(&term.len()), "{term:?}");
        *terms.entry(term.to_owned()).or_default() += 1;
    });
    let mut from = 0;
    analyzer.tokens(text, |token| {
        assert!(terms.contains_key(token.term) && from <= token.start && token.start < token.end);
        assert!(text.is_char_boundary(token.start) && text.is_char_boundary(token.end));
        from = token.start;
    });
    let fields = [("f", text)];
    let mut postings = MemoryPostings::new();
    postings.push(analyzer, 1, &fields);
    let id = BlobId::new(1, 1, BlobKind::Text);
    let bytes = build(id, &postings.sections(3));
    let blob = Blob::open(id, Arc::new(Resident::new(Arc::new(bytes)))).expect("built here");
    let index = TextIndex::open(&blob).expect("written above");
    for (term, count) in &terms {
        let mut found = Vec::new();
        index
            .for_each_posting("f", term, &mut |posting| found.push((posting.slot, posting.tf)))
            .expect("sound");
        assert_eq!(found, [(1, *count)], "{term:?}");
    }
    let mut w = Writer::new();
    TermCounts::of_document(analyzer, &fields).encode(&mut w);
    counts(w.as_slice());
    let query = Query::new(analyzer, text, None).expect("shorter than a query may be");
    assert!(query.terms().iter().all(|term| terms.contains_key(&*term.term)));
}

fn counts(bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    let Ok(counts) = TermCounts::decode(&mut r) else { return };
    let mut w = Writer::new();
    counts.encode(&mut w);
    assert_eq!(w.as_slice(), &bytes[..r.offset()], "there is one way to write them");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut w = Writer::new();
    TermCounts::of_document(&Analyzer::new(Language::English), &[("a", "two kittens"), ("b", "two")])
        .encode(&mut w);
    vec![
        seed(&[0], "Plain WORDS, 3.14 and e-mail@example.org".as_bytes()),
        seed(&[1], "The Kittens' ponies aren't running; \u{fb01}nally na\u{ef}ve".as_bytes()),
        seed(&[2], "L'universit\u{e0} dell'acqua: perch\u{e9} citt\u{e0}\u{300}".as_bytes()),
        seed(
            &[1],
            "\u{4f60}\u{597d} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{0928}\u{092e}\u{0938}\u{094d}"
                .as_bytes(),
        ),
        seed(&[4], "L\u{2019}\u{153}uvre d'\u{e9}t\u{e9}, r\u{e9}sum\u{e9}".as_bytes()),
        seed(&[9], "\u{415}\u{449}\u{451} \u{43e}\u{434}\u{43d}\u{430}".as_bytes()),
        seed(&[0], "\u{6771}\u{4eac}\u{e0100}\u{90fd}\u{ff76}\u{ff9e} \u{d55c}\u{ad6d}".as_bytes()),
        seed(&[COUNTS], w.as_slice()),
    ]
}
