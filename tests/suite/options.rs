//! What a search counts and groups, against documents counted one by one, in segments and what is not sealed yet.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use kithdb::base::value::parse_object;
use kithdb::base::{Rng, Value};
use kithdb::collection::{
    CollectionConfig, Document, Facet, GroupBy, Mutation, SearchRequest, SearchResponse, SortKey,
    parse_filter,
};
use kithdb::engine::JobKind;
use kithdb::meta::ValueRange;
use kithdb::segment::Scratch;
use kithdb::storage::Level;
use kithdb::text::{Language, TextFields, TextSpec};

use crate::life::Life;

fn put(life: &mut Life, documents: impl Iterator<Item = (usize, String)>) {
    let document = |(n, json): (usize, String)| {
        let metadata = parse_object(&json).expect("JSON");
        Mutation::Upsert(Document { id: format!("d{n}"), metadata, ..Document::default() })
    };
    life.collection.submit(documents.map(document).collect(), Level::Always).expect("stored");
}

fn search(life: &Life, request: &SearchRequest) -> SearchResponse {
    let view = life.view();
    let moment = view.moment(None, 5).expect("now");
    view.search(request, moment, &mut Scratch::default()).expect("sound")
}

#[test]
fn a_filter_alone_is_grouped_whole() {
    let mut life = Life::new(CollectionConfig::default());
    // Far more of one group than there are candidates, in a segment and behind it.
    for batch in 0..3 {
        let document = |n: usize| {
            let lang = if n == 1100 { "it" } else { "en" };
            (n, format!(r#"{{"n": {n}, "about": {{"lang": ["{lang}"], "text": "a text of some length"}}}}"#))
        };
        put(&mut life, (batch * 400..(batch + 1) * 400).map(document));
        assert!(batch == 2 || life.run(JobKind::Seal));
    }
    put(&mut life, [(1200, r#"{"n": 1}"#.to_owned()), (1201, r#"{"n": 2}"#.to_owned())].into_iter());
    let request = SearchRequest {
        filter: parse_filter("n > 0").expect("sound"),
        group_by: Some(GroupBy { field: "about.lang".into(), size: 1 }),
        k: 5,
        ..SearchRequest::default()
    };
    let ids = |request: &SearchRequest| -> Vec<String> {
        search(&life, request).hits.into_iter().map(|hit| hit.id).collect()
    };
    assert_eq!(ids(&request), ["d1", "d1100", "d1200", "d1201"]);
    assert_eq!(ids(&SearchRequest { offset: 1, k: 2, ..request.clone() }), ["d1100", "d1200"]);
    let two = Some(GroupBy { field: "about.lang".into(), size: 2 });
    assert_eq!(
        ids(&SearchRequest { group_by: two, ..request.clone() }),
        ["d1", "d2", "d1100", "d1200", "d1201"]
    );
    // So is what is sorted: the first of each group, however many of another come before it.
    let sort = vec![SortKey { field: "n".into(), descending: true }];
    let sorted = SearchRequest { sort, ..request.clone() };
    assert_eq!(ids(&sorted), ["d1199", "d1100", "d1201", "d1200"]);
    let few = SearchRequest { candidates: Some(1), k: 2, offset: 1, ..sorted };
    assert_eq!(ids(&few), ["d1100", "d1201"], "candidates are of lists that something ranks");
}

/// Documents with lists of values, in parts and with some gone: what is sorted and grouped is what sorting them all and taking
/// one after another gives.
#[test]
fn what_is_sorted_is_grouped_whole() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut life = Life::new(CollectionConfig {
            text: Some(TextSpec::new(Language::None, TextFields::TopLevel)),
            ..CollectionConfig::default()
        });
        let mut known: Vec<(String, Vec<i64>, Option<i64>, bool)> = Vec::new();
        for _ in 0..1 + rng.below(4) {
            let mut documents = Vec::new();
            for _ in 0..1 + rng.below(25) {
                let mut groups: Vec<i64> = (0..rng.below(3)).map(|_| rng.below(3) as i64).collect();
                let at = (rng.below(5) > 0).then(|| rng.below(8) as i64);
                let has_word = rng.below(3) > 0;
                let text = if has_word { "neck" } else { "horn" };
                let at_json = at.map_or("null".to_owned(), |at| at.to_string());
                let json = format!(r#"{{"group": {groups:?}, "at": {at_json}, "text": "{text}"}}"#);
                groups.sort_unstable();
                groups.dedup();
                documents.push((known.len(), json));
                known.push((format!("d{}", known.len()), groups, at, has_word));
            }
            put(&mut life, documents.into_iter());
            let gone = rng.below(known.len() as u64) as usize;
            if !known[gone].0.is_empty() {
                let id = std::mem::take(&mut known[gone].0);
                life.collection.submit(vec![Mutation::Delete(id)], Level::Always).expect("stored");
            }
            for kind in [JobKind::Seal, JobKind::Merge] {
                if rng.below(2) == 0 {
                    life.run(kind);
                }
            }
        }
        let (descending, by_word, size) = (rng.below(2) == 0, rng.below(2) == 0, 1 + rng.below(3) as usize);
        let (k, offset) = (1 + rng.below(12) as usize, rng.below(3) as usize);
        let request = SearchRequest {
            text: by_word.then(|| "neck".to_owned()),
            sort: vec![SortKey { field: "at".into(), descending }],
            group_by: Some(GroupBy { field: "group".into(), size }),
            candidates: Some(1),
            k,
            offset,
            ..SearchRequest::default()
        };
        let mut all: Vec<_> =
            known.iter().filter(|(id, .., has_word)| !id.is_empty() && (*has_word || !by_word)).collect();
        all.sort_by_key(|(_, _, at, _)| (at.is_none(), at.map(|at| if descending { -at } else { at })));
        let mut sizes: BTreeMap<&[i64], usize> = BTreeMap::new();
        all.retain(|(_, groups, ..)| {
            let count = sizes.entry(groups).or_default();
            *count += 1;
            groups.is_empty() || *count <= size
        });
        let expected: Vec<&str> = all.iter().skip(offset).take(k).map(|(id, ..)| id.as_str()).collect();
        let found = search(&life, &request);
        let found: Vec<&str> = found.hits.iter().map(|hit| hit.id.as_str()).collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}

fn range(from: Option<i64>, to: Option<i64>) -> ValueRange {
    ValueRange { from: from.map(Value::Int), to: to.map(Value::Int) }
}

#[test]
fn facets_count_what_the_documents_have_in_any_parts() {
    let texts = ["the same beginning, then a", "the same beginning, then b", "the same", "other", ""];
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut life = Life::new(CollectionConfig::default());
        let mut known: BTreeMap<usize, (Vec<&str>, i64)> = BTreeMap::new();
        for _ in 0..1 + rng.below(6) {
            let batch: Vec<usize> = (0..1 + rng.below(12)).map(|_| rng.below(30) as usize).collect();
            let mut documents = BTreeMap::new();
            for n in batch {
                let mut tags: Vec<&str> =
                    (0..rng.below(4)).map(|_| texts[rng.below(texts.len() as u64) as usize]).collect();
                let size = rng.below(10) as i64;
                let json = format!(r#"{{"tags": {tags:?}, "sizes": [{size}, {}.0]}}"#, size + 1);
                tags.sort_unstable();
                tags.dedup();
                known.insert(n, (tags, size));
                documents.insert(n, json);
            }
            put(&mut life, documents.into_iter());
            for kind in [JobKind::Seal, JobKind::Merge] {
                if rng.below(3) == 0 {
                    life.run(kind);
                }
            }
        }
        let ranges = vec![range(None, Some(3)), range(Some(3), Some(7)), range(Some(2), None)];
        let sizes = Facet { ranges: ranges.clone(), ..Facet::new("sizes") };
        let facets =
            vec![Facet { limit: 2, ..Facet::new("tags") }, sizes, Facet { limit: 20, ..Facet::new("sizes") }];
        let found = search(&life, &SearchRequest { facets, ..SearchRequest::default() });
        assert_eq!(found.total, Some(known.len() as u64), "seed {seed}");

        let mut tags: BTreeMap<&str, u64> = BTreeMap::new();
        known.values().flat_map(|(tags, _)| tags).for_each(|tag| *tags.entry(tag).or_default() += 1);
        let mut most: Vec<(Value, u64)> =
            tags.iter().map(|(tag, count)| (Value::Str((*tag).to_owned()), *count)).collect();
        most.sort_by_key(|(_, count)| Reverse(*count));
        most.truncate(2);
        assert_eq!(found.facets[0].values, most, "seed {seed}");
        assert_eq!(found.facets[0].distinct, tags.len() as u64, "seed {seed}");
        let within = |range: &ValueRange| {
            let has =
                |size: &i64| [*size, size + 1].map(Value::Int).iter().any(|value| range.contains(value));
            (range.clone(), known.values().filter(|(_, size)| has(size)).count() as u64)
        };
        assert_eq!(found.facets[1].ranges, ranges.iter().map(within).collect::<Vec<_>>(), "seed {seed}");
        let sizes: u64 = found.facets[2].values.iter().map(|(_, count)| count).sum();
        assert_eq!(sizes, 2 * known.len() as u64, "seed {seed}");
        let distinct: BTreeSet<i64> = known.values().flat_map(|(_, size)| [*size, size + 1]).collect();
        assert_eq!(found.facets[2].distinct, distinct.len() as u64, "seed {seed}: 5 and 5.0 are one value");
    }
}
