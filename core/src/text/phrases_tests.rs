//! Phrases by positions against the texts themselves, in memory, in a segment, and in one of an earlier version.

use std::cell::Cell;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex};

use proptest::prelude::*;

use super::*;
use crate::storage::blob::{Resident, build};
use crate::storage::{Blob, BlobId, BlobKind, BlobSource, Pinned, Section};
use crate::text::carry::{Carry, LEFT_BEHIND};
use crate::text::conditions::{Scored, select};
use crate::text::{Language, MemoryPostings, Query, TextFields, TextIndex, TextSpec, Weights, Words, top};

/// The texts of a document by field, where a field may have several.
type Document = Vec<(&'static str, String)>;

const ID: BlobId = BlobId { number: 1, kind: BlobKind::Text, file_id: 7 };
const FIELDS: [&str; 2] = ["t", "u"];

/// Bigrams, stop words, stems, and terms that often stand twice.
fn text(words: Range<usize>) -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "long",
        "neck",
        "necks",
        "the",
        "of",
        "tall",
        "\u{9577}\u{3044}\u{9996}",
        "\u{3044}\u{9996}",
        "neck-lace",
    ]);
    prop::collection::vec(word, words).prop_map(|words| words.join(" "))
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    let document = prop::collection::vec((prop::sample::select(FIELDS.to_vec()), text(0..9)), 0..5);
    (prop::collection::vec(document, 0..30), 1..9usize)
        .prop_map(|(documents, times)| vec![documents; times].concat())
}

fn words() -> &'static Words {
    static WORDS: LazyLock<Words> =
        LazyLock::new(|| Words::new(TextSpec::new(Language::English, TextFields::TopLevel)));
    &WORDS
}

fn memory(documents: &[Document]) -> MemoryPostings {
    let words = words();
    let mut part = MemoryPostings::new();
    for (slot, document) in (0..).zip(documents) {
        let texts: Vec<(&str, &str)> = document.iter().map(|(field, text)| (*field, text.as_str())).collect();
        part.push(words.analyzer(), slot, &texts);
    }
    part
}

fn open(sections: &[Section]) -> TextIndex {
    TextIndex::open(&Blob::in_memory(ID, sections).expect("built here")).expect("built here")
}

fn without_positions(mut sections: Vec<Section>) -> TextIndex {
    sections.retain(|section| !TextIndex::is_of_positions(section.id));
    open(&sections)
}

/// What a query lets through, and how many documents were read for it.
fn found(source: &dyn PostingSource, query: &Query, documents: &[Document]) -> (Vec<usize>, usize) {
    found_in(source, query, documents, &Bitmap::full(documents.len()))
}

/// As [`found`], of some documents.
fn found_in(
    source: &dyn PostingSource,
    query: &Query,
    documents: &[Document],
    among: &Bitmap,
) -> (Vec<usize>, usize) {
    let words = words();
    let weights = Weights::gather(query, &[source], &[], words.scoring()).expect("sound");
    let (asked, read) = (Scored { query, weights: &weights }, Cell::new(0));
    let mut allowed = among.clone();
    for condition in query.conditions() {
        let mut texts_of = |slot: u32, f: &mut dyn FnMut(&str, &str)| {
            read.set(read.get() + 1);
            documents[slot as usize].iter().for_each(|(field, text)| f(field, text));
            Ok(())
        };
        let analyzer_of = |_: &str| words.analyzer();
        allowed =
            select(source, asked, condition, Some(&allowed), analyzer_of, &mut texts_of).expect("sound");
    }
    (allowed.iter().collect(), read.get())
}

fn parse(query: &str) -> Query {
    words().parse(query, false, |name| FIELDS.contains(&name)).expect("short")
}

/// The words of a text; stop words are words without a term.
fn spelt(text: &str) -> Vec<Option<String>> {
    let mut spelt = Vec::new();
    words().analyzer().positions(text, |term, position| {
        spelt.resize(position as usize, None);
        spelt.push(Some(term.to_owned()));
    });
    spelt
}

/// Whether a document fulfils a clause of a query, by looking at every place of its texts.
fn fulfils(document: &Document, sign: &str, phrase: &str) -> bool {
    let phrase: Vec<Option<String>> = spelt(phrase).into_iter().skip_while(Option::is_none).collect();
    let (is_negative, field) = (sign.starts_with('-'), sign.trim_start_matches(['+', '-']).strip_suffix(':'));
    let begins =
        |words: &[Option<String>]| phrase.iter().zip(words).all(|(word, at)| word.is_none() || word == at);
    let is_in = |text: &str| spelt(text).windows(phrase.len()).any(begins);
    let texts = document.iter().filter(|(name, _)| field.is_none_or(|field| field == *name));
    phrase.is_empty() || texts.map(|(_, text)| text).any(|text| is_in(text)) != is_negative
}

/// How a part of a collection lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Memory,
    Joined,
    Segment,
    Earlier,
}

const FORMS: [Form; 4] = [Form::Memory, Form::Joined, Form::Segment, Form::Earlier];

fn part(documents: &[Document], form: Form) -> Box<dyn PostingSource> {
    let sections = || memory(documents).sections(documents.len() as u32);
    match form {
        Form::Memory => Box::new(memory(documents)),
        Form::Joined => {
            let (first, second) = documents.split_at(documents.len() / 2);
            let mut joined = memory(first);
            joined.append(&memory(second), first.len() as u32);
            Box::new(joined)
        }
        Form::Segment => Box::new(open(&sections())),
        Form::Earlier => Box::new(without_positions(sections())),
    }
}

/// Adds what is kept of a part, as a merge does: postings are carried over, or texts are analysed.
fn merge(
    part: &dyn PostingSource,
    documents: &[Document],
    kept: &Bitmap,
    into: &mut MemoryPostings,
    next: &mut u32,
) {
    let carries = part.has_positions().expect("sound");
    let mut slots = Vec::new();
    for (slot, document) in documents.iter().enumerate() {
        if !kept.contains(slot) {
            slots.push(LEFT_BEHIND);
            continue;
        }
        if !carries {
            let texts: Vec<(&str, &str)> = document.iter().map(|(field, text)| (*field, &**text)).collect();
            into.push(words().analyzer(), *next, &texts);
        }
        slots.push(*next);
        *next += 1;
    }
    let mut carry = Carry::default();
    while carries && !carry.step(part, &slots, into, 7).expect("sound") {}
}

proptest! {
    #[test]
    fn positions_tell_what_texts_do(
        parts in prop::collection::vec((documents(), prop::sample::select(FORMS.to_vec()), any::<u64>()), 1..4),
        clauses in prop::collection::vec((prop::sample::select(vec!["", "+", "-", "t:", "-u:"]), text(1..5)), 1..4),
    ) {
        let query: Vec<String> = clauses.iter().map(|(sign, text)| format!("{sign}\"{text}\"")).collect();
        let query = parse(&query.join(" "));
        let fulfils = |document: &Document| clauses.iter().all(|(sign, text)| fulfils(document, sign, text));
        let (mut merged, mut all, mut next) = (MemoryPostings::new(), Vec::new(), 0);
        for (documents, form, seed) in &parts {
            // Others were deleted, or came later than what is looked at.
            let mut allowed = Bitmap::empty(documents.len());
            (0..documents.len()).filter(|slot| (seed >> (slot % 64)) & 3 > 0).for_each(|slot| allowed.insert(slot));
            let part = part(documents, *form);
            let (hits, read) = found_in(&*part, &query, documents, &allowed);
            let expected: Vec<usize> = allowed.iter().filter(|slot| fulfils(&documents[*slot])).collect();
            prop_assert_eq!(hits, expected);
            prop_assert!(read == 0 || *form == Form::Earlier);
            merge(&*part, documents, &allowed, &mut merged, &mut next);
            all.extend(allowed.iter().map(|slot| documents[slot].clone()));
        }
        let expected: Vec<usize> = (0..all.len()).filter(|slot| fulfils(&all[*slot])).collect();
        prop_assert_eq!(found(&open(&merged.sections(next)), &query, &all), (expected, 0));
    }

    #[test]
    fn positions_come_back_from_memory_and_segments(documents in documents(), every in 1..5u32) {
        let part = memory(&documents);
        let index = open(&part.sections(documents.len() as u32));
        index.check_positions().expect("sound");
        let analyzer = words();
        for term in ["long", "neck", "tall", "lace", "\u{9577}\u{3044}", "\u{3044}\u{9996}"] {
            for field in FIELDS {
                let standing = |source: &dyn PostingSource| {
                    assert!(source.has_positions().expect("sound"));
                    let list = source.list(field, term).expect("sound")?;
                    let mut standing = Standing::open(list).expect("sound").expect("positions");
                    let slots = (0..documents.len() as u32).step_by(every as usize);
                    let of = |slot| standing.positions_in(slot).expect("sound").to_vec();
                    Some(slots.map(of).collect::<Vec<_>>())
                };
                let mut expected = Vec::new();
                for document in documents.iter().step_by(every as usize) {
                    let (mut first, mut here) = (0, Vec::new());
                    for (_, text) in document.iter().filter(|(name, _)| *name == field) {
                        let mut last = None;
                        analyzer.analyzer().positions(text, |found, position| {
                            last = Some(first + position);
                            here.extend((found == term).then_some(first + position));
                        });
                        first = last.map_or(first, |last| last + GAP);
                    }
                    expected.push(here);
                }
                let stored = standing(&index);
                prop_assert_eq!(&stored, &standing(&part));
                if let Some(stored) = stored {
                    prop_assert_eq!(stored, expected);
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_wrong_panic_nowhere_and_bytes_that_lack_are_refused(documents in documents(), at: prop::sample::Index, mask in 1u8.., cut in any::<bool>()) {
        let mut sections = memory(&documents).sections(documents.len() as u32);
        let sound = sections.len();
        let section = &mut sections[sound - 2 + at.index(2)];
        let lacks = cut && !section.bytes.is_empty();
        if !section.bytes.is_empty() {
            let at = at.index(section.bytes.len());
            section.bytes[at] ^= mask;
            if cut {
                section.bytes.truncate(at);
            }
        }
        let index = open(&sections);
        prop_assert!(index.check_positions().is_err() || !lacks);
        if index.has_positions().expect("in memory") {
            let mut selected = Bitmap::empty(documents.len());
            let phrase = ["long", "neck"].map(str::to_owned);
            let phrase: Vec<Word> = (0..).zip(phrase).map(|(number, term)| (number, vec![term])).collect();
            drop(add_by_positions(&index, "t", &phrase, &Bitmap::full(documents.len()), &mut selected));
        }
    }
}

#[test]
fn a_phrase_reads_no_text_and_texts_of_one_field_stay_apart() {
    let document = |i: usize| -> Document {
        let end = if i.is_multiple_of(3) { "a long neck" } else { "a neck, long" };
        vec![("t", format!("number {i} has {end}")), ("t", "neck of the giraffe".to_owned())]
    };
    let documents: Vec<Document> = (0..2_000).map(document).collect();
    let part = memory(&documents);
    let sections = || part.sections(documents.len() as u32);
    let expected: Vec<usize> = (0..2_000).step_by(3).collect();
    let query = parse("\"long neck\"");
    assert_eq!(found(&without_positions(sections()), &query, &documents), (expected.clone(), 2_000));
    assert_eq!(found(&open(&sections()), &query, &documents), (expected.clone(), 0));
    assert_eq!(found(&part, &query, &documents), (expected, 0));
    // The last word of one text and the first of the next are no neighbours, however near.
    assert_eq!(found(&open(&sections()), &parse("\"long neck giraffe\""), &documents), (Vec::new(), 0));
    // A phrase as long as what lies between two texts is looked for in the texts.
    let long = format!("\"long {}giraffe\"", "the ".repeat(GAP as usize));
    assert_eq!(found(&open(&sections()), &parse(&long), &documents), (Vec::new(), 2_000));
}

#[test]
fn a_word_that_stands_often_is_found_beside_itself() {
    let documents: Vec<Document> = vec![
        vec![("t", format!("{}neck", "long ".repeat(10_000)))],
        vec![("t", "long neck ".repeat(5_000))],
        vec![("t", "long".to_owned()), ("u", "long neck".to_owned()), ("t", "neck".to_owned())],
    ];
    let index = open(&memory(&documents).sections(3));
    let hits = |query: &str| found(&index, &parse(query), &documents);
    assert_eq!(hits("\"long neck\""), (vec![0, 1, 2], 0));
    assert_eq!(hits("t:\"long neck\""), (vec![0, 1], 0));
    assert_eq!(hits("\"long long neck\""), (vec![0], 0));
    assert_eq!(hits("\"neck long neck\""), (vec![1], 0));
    assert_eq!(hits("\"long of neck\""), (vec![0], 0));
    assert_eq!(hits("\"long of the neck\" -\"neck long\""), (vec![0], 0));
    let many = |n: usize| format!("\"{}neck\"", "long ".repeat(n));
    assert_eq!(hits(&many(63)), (vec![0], 0));
}

/// Remembers which bytes were read.
#[derive(Debug)]
struct Seen(Resident<crate::base::AlignedBytes>, Mutex<Vec<Range<u64>>>);

impl BlobSource for Seen {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn pinned(&self, range: Range<u64>) -> Result<Pinned, crate::base::StorageError> {
        self.1.lock().expect("whole").push(range.clone());
        self.0.pinned(range)
    }

    fn rows(&self, range: Range<u64>) -> Result<std::borrow::Cow<'_, [u8]>, crate::base::StorageError> {
        self.1.lock().expect("whole").push(range.clone());
        self.0.rows(range)
    }
}

#[test]
fn who_asks_for_no_phrase_reads_no_positions() {
    let documents: Vec<Document> = (0..500).map(|i| vec![("t", format!("long neck {i}"))]).collect();
    let bytes = Resident::new(Arc::new(build(ID, &memory(&documents).sections(500))));
    let seen = Arc::new(Seen(bytes, Mutex::default()));
    let blob = Blob::open(ID, Arc::clone(&seen) as Arc<dyn BlobSource>).expect("sound");
    let positions = blob.offset_of(9).expect("there")..blob.offset_of(10).expect("there") + 8;
    let is_read = || {
        let ranges = seen.1.lock().expect("whole");
        ranges.iter().any(|range| range.start < positions.end && positions.start < range.end)
    };
    let index = TextIndex::open(&blob).expect("sound");
    let query = parse("+neck long -missing");
    let weights = Weights::gather(&query, &[&index], &[], words().scoring()).expect("sound");
    assert_eq!(top(&index, &weights, None, 10, None).expect("sound").len(), 10);
    assert_eq!(found(&index, &query, &documents).0.len(), 500);
    assert!(!is_read());
    assert_eq!(found(&index, &parse("\"long neck\""), &documents), ((0..500).collect(), 0));
    assert!(is_read());
}

#[test]
fn damaged_positions_are_told_once_and_texts_are_read_instead() {
    let documents: Vec<Document> = (0..20).map(|i| vec![("t", format!("long neck {i}"))]).collect();
    let mut bytes = build(ID, &memory(&documents).sections(20));
    let blob = Blob::open(ID, Arc::new(Resident::new(Arc::new(build(ID, &memory(&documents).sections(20))))));
    let at = blob.and_then(|blob| blob.offset_of(9)).expect("sound") as usize;
    bytes.as_mut_slice()[at] ^= 1;
    let blob = Blob::open(ID, Arc::new(Resident::new(Arc::new(bytes)))).expect("its header is sound");
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let index = TextIndex::open(&blob).expect("what it needs is sound");
    let index = index.telling(Arc::new(move |error| tell.lock().expect("whole").push(error.code())));
    for _ in 0..2 {
        assert_eq!(found(&index, &parse("\"long neck\""), &documents), ((0..20).collect(), 20));
    }
    assert_eq!(*told.lock().expect("whole"), ["corrupt"]);
    assert_eq!(index.check_positions().expect_err("damaged").code(), "corrupt");
}
