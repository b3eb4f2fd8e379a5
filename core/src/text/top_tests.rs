//! The best of a part against all scores of it, sorted; and how much of the lists is left alone.

use proptest::prelude::*;

use super::*;
use crate::base::Rng;
use crate::storage::{Blob, BlobId, BlobKind};
use crate::text::{Analyzer, Language, MemoryPostings, Query, Scoring, TextIndex, score};

const WORDS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// Documents of two fields; the words are the rarer the later they stand in the list.
fn documents(n: usize, seed: u64, rarity: u64) -> Vec<[String; 2]> {
    let mut rng = Rng::new(seed);
    let mut text = |most: u64| {
        let words = (0..rng.below(most)).map(|_| {
            let rank = (0..WORDS.len() - 1).take_while(|_| rng.below(rarity) == 0).count();
            WORDS[rank]
        });
        words.collect::<Vec<_>>().join(" ")
    };
    (0..n).map(|_| [text(4), text(12)]).collect()
}

fn memory(documents: &[[String; 2]]) -> MemoryPostings {
    let analyzer = Analyzer::new(Language::None);
    let mut part = MemoryPostings::new();
    for (slot, [title, text]) in documents.iter().enumerate() {
        part.push(&analyzer, slot as u32, &[("title", title), ("text", text)]);
    }
    part
}

fn sealed(part: &MemoryPostings) -> TextIndex {
    let sections = part.sections(part.n_slots() + 3);
    let blob = Blob::in_memory(BlobId::new(1, 1, BlobKind::Text), &sections).expect("just built");
    TextIndex::open(&blob).expect("just built")
}

fn weights(text: &str, parts: &[&dyn PostingSource]) -> Weights {
    weights_by(text, parts, &Scoring::default())
}

fn weights_by(text: &str, parts: &[&dyn PostingSource], scoring: &Scoring) -> Weights {
    let query = Query::new(&Analyzer::new(Language::None), text, None).expect("short");
    Weights::gather(&query, parts, &[], scoring).expect("sound")
}

/// Any numbers that a collection can have, and often those at an end of what they can be.
fn scorings() -> impl Strategy<Value = Scoring> {
    let k1 = prop_oneof![Just(1.2), Just(0.0), Just(100.0), 0.0f64..=100.0];
    let b = prop_oneof![Just(0.75), Just(0.0), Just(1.0), 0.0f64..=1.0];
    let weight = || prop_oneof![Just(1.0), Just(1e-6), Just(1000.0), 0.01f64..=1000.0];
    (k1, b, weight(), weight()).prop_map(|(k1, b, title, text)| {
        let weights = [("title".to_owned(), title), ("text".to_owned(), text)].into();
        let scoring = Scoring { k1, b, weights };
        scoring.check().expect("within limits");
        scoring
    })
}

/// Slots and bits of scores, the best first.
fn bits(found: &[(u32, f32)]) -> Vec<(u32, u32)> {
    found.iter().map(|(slot, score)| (*slot, score.to_bits())).collect()
}

fn oracle(
    part: &dyn PostingSource,
    weights: &Weights,
    allowed: Option<&Bitmap>,
    k: usize,
) -> Vec<(u32, f32)> {
    let mut all = score(part, weights, allowed).expect("sound");
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(k);
    all
}

fn some(len: usize, seed: u64, every: u64) -> Bitmap {
    let mut rng = Rng::new(seed);
    let mut some = Bitmap::empty(len);
    (0..len).filter(|_| rng.below(every) == 0).for_each(|i| some.insert(i));
    some
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_best_are_those_of_all_scores(
        n in prop::sample::select(vec![1usize, 40, 300, 1500, 9000]),
        seed: u64,
        rarity in 2u64..5,
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..9),
        k in prop::sample::select(vec![1usize, 3, 10, 100, 20_000]),
        every in prop::option::of(prop::sample::select(vec![1u64, 2, 30, 1000])),
        scoring in scorings(),
    ) {
        let memory = memory(&documents(n, seed, rarity));
        let segment = sealed(&memory);
        for part in [&memory as &dyn PostingSource, &segment] {
            let weights = weights_by(&words.join(" "), &[part], &scoring);
            let allowed = every.map(|every| some(part.n_slots() as usize, seed, every));
            let expected = oracle(part, &weights, allowed.as_ref(), k);
            let got = top(part, &weights, allowed.as_ref(), k, None).expect("sound");
            prop_assert_eq!(bits(&got), bits(&expected));
            // A floor takes nothing away that reaches it.
            let Some((_, floor)) = expected.get(expected.len() / 2) else { continue };
            let got = top(part, &weights, allowed.as_ref(), k, Some(*floor)).expect("sound");
            let reaching = |list: &[(u32, f32)]| -> Vec<(u32, f32)> {
                list.iter().copied().filter(|(_, score)| score >= floor).collect()
            };
            prop_assert_eq!(bits(&reaching(&got)), bits(&reaching(&expected)));
        }
    }

    #[test]
    fn parts_that_pass_on_their_floor_find_what_one_part_finds(
        seed: u64,
        cuts in prop::collection::vec(0usize..2000, 0..4),
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..5),
        k in 1usize..30,
        scoring in scorings(),
    ) {
        let documents = documents(2000, seed, 3);
        let whole = memory(&documents);
        let weights = weights_by(&words.join(" "), &[&whole], &scoring);
        let expected = oracle(&whole, &weights, None, k);
        let mut bounds = [cuts, vec![0, documents.len()]].concat();
        bounds.sort_unstable();
        let mut found = TopK::new(k);
        for (i, pair) in bounds.windows(2).enumerate() {
            let part = memory(&documents[pair[0]..pair[1]]);
            let segment = sealed(&part);
            let part: &dyn PostingSource = if i.is_multiple_of(2) { &segment } else { &part };
            let floor = found.bound().map(|minus: f32| -minus);
            for (slot, score) in top(part, &weights, None, k, floor).expect("sound") {
                let slot = slot + pair[0] as u32;
                found.push(-score, u64::from(slot), slot);
            }
        }
        let got: Vec<(u32, f32)> = found.into_sorted().into_iter().map(|(minus, slot)| (slot, -minus)).collect();
        prop_assert_eq!(bits(&got), bits(&expected));
    }

    #[test]
    fn damaged_lists_are_refused_or_never_make_a_score(
        seed: u64,
        section in 0usize..8,
        at: prop::sample::Index,
        byte: u8,
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..4),
        every in prop::option::of(1u64..100),
    ) {
        let memory = memory(&documents(700, seed, 3));
        let mut sections = memory.sections(memory.n_slots());
        let bytes = &mut sections[section].bytes;
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // The checksums are right: only the meaning of the bytes is not.
        let blob = Blob::in_memory(BlobId::new(1, 1, BlobKind::Text), &sections).expect("just built");
        let Ok(segment) = TextIndex::open(&blob) else { return Ok(()) };
        let weights = weights(&words.join(" "), &[&memory]);
        let allowed = every.map(|every| some(memory.n_slots() as usize, seed, every));
        let best = top(&segment, &weights, allowed.as_ref(), 10, None);
        if let (Ok(best), Ok(all)) = (best, score(&segment, &weights, allowed.as_ref())) {
            let all = bits(&all);
            prop_assert!(bits(&best).iter().all(|one| all.contains(one)));
        }
    }

    #[test]
    fn explanations_and_counts_by_block_are_those_of_the_list(seed: u64, every in 1u64..400) {
        let memory = memory(&documents(1200, seed, 3));
        let segment = sealed(&memory);
        let allowed = some(segment.n_slots() as usize, seed, every);
        for word in WORDS {
            let mut postings = Vec::new();
            memory.for_each_posting("text", word, &mut |posting| postings.push(posting)).expect("in memory");
            let mut counted = 0;
            for posting in &postings {
                counted += u64::from(allowed.contains(posting.slot as usize));
                let found = segment.posting("text", word, posting.slot).expect("sound");
                prop_assert_eq!(found, Some(*posting));
            }
            prop_assert_eq!(segment.df_in("text", word, Some(&allowed)).expect("sound"), counted);
            prop_assert_eq!(segment.df_in("text", word, None).expect("sound"), postings.len() as u64);
            let absent = (0..1200).find(|slot| postings.iter().all(|posting| posting.slot != *slot));
            if let Some(absent) = absent {
                prop_assert_eq!(segment.posting("text", word, absent).expect("sound"), None);
            }
        }
    }
}

/// A part of 50,000 documents: all have one word, a few another beside it.
fn common_and_rare(rare_every: usize) -> TextIndex {
    let analyzer = Analyzer::new(Language::None);
    let mut part = MemoryPostings::new();
    let mut rng = Rng::new(3);
    for slot in 0..50_000 {
        let mut text = "common".to_owned();
        (0..1 + rng.below(30)).for_each(|_| text.push_str(" filler"));
        if slot % rare_every == rare_every / 2 {
            text.push_str(" rare");
        }
        part.push(&analyzer, slot as u32, &[("text", &text)]);
    }
    sealed(&part)
}

#[test]
fn blocks_that_cannot_bring_a_document_in_are_not_decoded() {
    let segment = common_and_rare(2000);
    let both = weights("common rare", &[&segment]);
    let (found, decodes) = counted(&segment, &both, None, 10, None).expect("sound");
    assert_eq!(bits(&found), bits(&oracle(&segment, &both, None, 10)));
    assert_eq!(decodes.blocks, 392);
    assert!(decodes.decoded <= 60, "{decodes:?}");

    let (_, decodes) = counted(&segment, &weights("common", &[&segment]), None, 10, None).expect("sound");
    assert!(decodes.decoded <= 100, "{decodes:?}");

    let mut allowed = Bitmap::empty(segment.n_slots() as usize);
    [5, 20_000, 49_999].into_iter().for_each(|slot| allowed.insert(slot));
    let (found, decodes) = counted(&segment, &both, Some(&allowed), 10, None).expect("sound");
    assert_eq!(found.len(), 3);
    assert!(decodes.decoded <= 4, "{decodes:?}");
}

#[test]
fn impacts_that_promise_too_little_are_corrupt() {
    let analyzer = Analyzer::new(Language::None);
    let mut part = MemoryPostings::new();
    (0..300).for_each(|slot| part.push(&analyzer, slot, &[("text", "word word")]));
    let mut sections = part.sections(300);
    // The length of the first pair of the first entry.
    sections[5].bytes[7] = 200;
    let blob = Blob::in_memory(BlobId::new(1, 1, BlobKind::Text), &sections).expect("just built");
    let segment = TextIndex::open(&blob).expect("what opening reads is right");
    let weights = weights("word", &[&segment]);
    assert_eq!(top(&segment, &weights, None, 3, None).expect_err("too little").code(), "corrupt");
}

#[test]
fn none_are_wanted_and_none_match() {
    let segment = common_and_rare(2000);
    let common = weights("common", &[&segment]);
    assert!(top(&segment, &common, None, 0, None).expect("sound").is_empty());
    assert!(top(&segment, &weights("missing", &[&segment]), None, 5, None).expect("sound").is_empty());
    let none = Bitmap::empty(segment.n_slots() as usize);
    assert!(top(&segment, &common, Some(&none), 5, None).expect("sound").is_empty());
}
