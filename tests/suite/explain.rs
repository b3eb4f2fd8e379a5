//! The parts of an explanation are those of the score, to the last bit: of random documents and searches, in any layout.

use kithdb::base::value::parse_object;
use kithdb::base::{Object, Rng, SortedMap, Value};
use kithdb::collection::{
    Aging, CollectionConfig, Decay, DecayLayers, DecayModel, Document, Expansion, Fusion, Hit, LinkRequest,
    Moment, Mutation, SearchRequest, SortKey, Ways, WordsExplanation, parse_filter,
};
use kithdb::engine::JobKind;
use kithdb::segment::Scratch;
use kithdb::storage::Level;
use kithdb::text::{Language, TextFields, TextSpec};
use kithdb::vectors::{Metric, score};

use crate::life::Life;

const SEEDS: u64 = 150;
const SEARCHES: usize = 12;
const DIM: usize = 3;
const WORDS: [&str; 7] = ["stone", "stones", "river", "rivers", "mossy", "fern", "owl"];
const METRICS: [Metric; 4] = [Metric::Cosine, Metric::Euclidean, Metric::Dot, Metric::Manhattan];
const DAY: i64 = 86_400_000_000_000;
/// When all searches are made: ten days after 1970.
const NOW: i64 = 10 * DAY;

fn words(rng: &mut Rng, most: u64) -> String {
    let n = rng.below(most + 1);
    (0..n).map(|_| WORDS[rng.below(7) as usize]).collect::<Vec<_>>().join(" ")
}

fn vector(rng: &mut Rng) -> Vec<f32> {
    (0..DIM).map(|_| rng.unit_f32() - 0.5).collect()
}

fn document(rng: &mut Rng, n: u64) -> Document {
    let (title, body) = (words(rng, 3), words(rng, 12));
    let (at, layer, pinned) = (rng.below(864_000), rng.below(3), rng.below(5) == 0);
    let json = format!(
        r#"{{"n":{n},"title":"{title}","body":"{body}","at":{at},"layer":"l{layer}","pinned":{pinned}}}"#
    );
    Document {
        id: format!("d{n}"),
        vector: (rng.below(4) > 0).then(|| vector(rng)),
        metadata: parse_object(&json).expect("JSON"),
        expires_at: None,
    }
}

fn decay(rng: &mut Rng) -> Decay {
    use DecayModel::{Ebbinghaus, Exponential, Linear, Step};
    let half_lives = SortedMap::from([("l0".to_owned(), 0), ("l1".to_owned(), DAY)]);
    Decay {
        model: [Exponential, Linear, Step, Ebbinghaus][rng.below(4) as usize],
        half_life: 3 * DAY,
        layers: (rng.below(2) == 0).then(|| DecayLayers { field: "layer".into(), half_lives }),
        time_field: (rng.below(2) == 0).then(|| "at".into()),
        pinned_field: (rng.below(2) == 0).then(|| "pinned".into()),
    }
}

fn link(rng: &mut Rng) -> Mutation {
    let (from, to) = (rng.below(40), 40 + rng.below(20));
    let (source, relation, target) = (format!("d{from}"), "near".to_owned(), format!("d{to}"));
    let (inverse, weight, properties) = (None, 1.0, Object::new());
    Mutation::Link(LinkRequest { source, relation, target, inverse, weight, properties })
}

fn request(rng: &mut Rng) -> SearchRequest {
    let signs = ["", "+", "-", "title:", "body:"];
    let text = (0..1 + rng.below(4))
        .map(|_| {
            let word = WORDS[rng.below(7) as usize];
            let end = ["", "", "", "*", "~"][rng.below(5) as usize];
            let word = if end == "*" { &word[..3] } else { word };
            format!("{}{word}{end}", signs[rng.below(8) as usize % 5])
        })
        .collect::<Vec<_>>()
        .join(" ");
    let (has_vector, has_text) = [(true, false), (false, true), (true, true)][rng.below(3) as usize];
    let filter = ["", "n > 10", "CONTAINS(body, 'owl fern') AND n < 40"][rng.below(3) as usize];
    let fusion = if rng.below(3) == 0 {
        Fusion::ReciprocalRank { k: 1 + rng.below(100) as u32 }
    } else {
        Fusion::Alpha(rng.below(11) as f32 / 10.0)
    };
    let (sorts, decays) = [(true, false), (false, true), (false, false)][rng.below(3) as usize];
    let damping = rng.unit_f32().into();
    let expand = Expansion { damping, ways: Ways::Both, depth: 2, ..Expansion::default() };
    let expands = !sorts && rng.below(2) == 0;
    SearchRequest {
        vector: has_vector.then(|| vector(rng)),
        text: has_text.then_some(text),
        fuzzy: rng.below(4) == 0,
        filter: parse_filter(filter).expect("sound"),
        fusion,
        k: 1000,
        sort: sorts.then(|| SortKey { field: "n".into(), descending: true }).into_iter().collect(),
        decay: if decays { Aging::By(decay(rng)) } else { Aging::Never },
        expand: expands.then_some(expand),
        explain: true,
        ..SearchRequest::default()
    }
}

/// The terms are as documented, and add up to the score of the words.
fn check_words(words: &WordsExplanation, at: &str) {
    let mut sum = 0f64;
    for term in &words.terms {
        let weight = &term.weight;
        let norm = 1.2 * (1.0 - 0.75 + 0.75 * (f64::from(term.length) / weight.average_length));
        let scale = f64::from(weight.count) * weight.boost * weight.idf;
        let tf = f64::from(term.tf);
        assert_eq!(term.contribution, scale * (tf * (1.2 + 1.0) / (tf + norm)), "{at}: {term:?}");
        sum += term.contribution;
    }
    assert!(!words.terms.is_empty(), "{at}");
    assert_eq!(words.score, sum as f32, "{at}");
}

/// What a side contributes, given where its score lies between those of its list.
fn check_share(
    fusion: Option<(Fusion, f32)>,
    (score, rank): (f32, usize),
    list: &[f32],
    told: (Option<f32>, f32),
    at: &str,
) {
    let expected = match fusion {
        None => (None, score),
        Some((Fusion::ReciprocalRank { k }, _)) => (None, 1.0 / (k as f32 + rank as f32)),
        Some((Fusion::Alpha(_), share)) => {
            let best = list.iter().copied().fold(f32::MIN, f32::max);
            let range = best - list.iter().copied().fold(f32::MAX, f32::min);
            let norm = if range > 0.0 { 1.0 - (best - score) / range } else { 1.0 };
            (Some(norm), share * norm)
        }
    };
    assert_eq!(told, expected, "{at}");
}

/// What decay left of a score, as documented.
fn check_decay(request: &SearchRequest, hit: &Hit, sum: f32, at: &str) -> f32 {
    let told = hit.explanation.as_ref().expect("asked for").decay;
    let (Some(decay), Some(left)) = (request.decay.named(), told) else {
        assert!(request.decay.named().is_none() && told.is_none(), "{at}");
        return sum;
    };
    let layer = hit.metadata["layer"].as_str().expect("text");
    let layers = decay.layers.as_ref();
    let half_life =
        layers.and_then(|layers| layers.half_lives.get(layer)).copied().unwrap_or(decay.half_life);
    let is_pinned = decay.pinned_field.is_some() && hit.metadata["pinned"] == Value::Bool(true);
    let expected = if half_life == 0 || is_pinned {
        1.0
    } else {
        decay.model.factor((NOW - left.since).max(0) as f64, half_life as f64, left.touches)
    };
    assert_eq!(left.factor, expected, "{at}");
    let sum = f64::from(sum);
    (sum - sum.abs() * (1.0 - left.factor)) as f32
}

fn check(metric: Metric, request: &SearchRequest, hits: &[Hit], at: &str) {
    let told = |hit: &Hit| hit.explanation.clone().expect("asked for");
    let nearest: Vec<f32> = hits.iter().filter_map(|hit| Some(told(hit).vector?.score)).collect();
    let matching: Vec<f32> = hits.iter().filter_map(|hit| Some(told(hit).words?.score)).collect();
    // A query that only excludes scores nothing.
    let scores = |text: &String| text.split(' ').any(|word| !word.starts_with('-'));
    let has_words = request.text.as_ref().is_some_and(scores)
        || request.filter.as_ref().is_some_and(|filter| !filter.words.is_empty());
    let is_fused = request.vector.is_some() && has_words;
    let fusion = |share: fn(f32) -> f32| {
        let alpha = if let Fusion::Alpha(alpha) = request.fusion { alpha } else { 0.0 };
        is_fused.then_some((request.fusion, share(alpha)))
    };
    for hit in hits {
        let explained = told(hit);
        let mut sum = if explained.vector.is_none() && explained.words.is_none() { 1.0 } else { 0f32 };
        if let Some(vector) = explained.vector {
            assert_eq!(vector.score, score(metric, vector.distance), "{at}");
            let rank = 1 + nearest.iter().filter(|other| **other > vector.score).count();
            assert!(vector.rank >= rank, "{at}");
            let share = (vector.normalised, vector.contribution);
            check_share(fusion(|alpha| alpha), (vector.score, vector.rank), &nearest, share, at);
            sum += vector.contribution;
        }
        if let Some(words) = &explained.words {
            check_words(words, at);
            let share = (words.normalised, words.contribution);
            check_share(fusion(|alpha| 1.0 - alpha), (words.score, words.rank), &matching, share, at);
            sum += words.contribution;
        }
        if let Some(graph) = &explained.graph {
            let is_own = explained.vector.is_some() || explained.words.is_some();
            assert!(!is_own || graph.contribution > sum, "{at}: {explained:?}");
            let left = |score: f64, _| score - score.abs() * (1.0 - graph.damping);
            let left = graph.edges.iter().fold(f64::from(graph.score), left);
            assert_eq!(graph.contribution, left as f32, "{at}: {explained:?}");
            sum = graph.contribution;
        }
        assert_eq!(hit.score, check_decay(request, hit, sum, at), "{at}: {explained:?}");
    }
}

#[test]
fn the_parts_of_an_explanation_add_up_to_the_score() {
    let (mut explained, mut fused, mut aged, mut lent) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        let mut rng = Rng::new(seed);
        let metric = METRICS[rng.below(4) as usize];
        let text =
            Some(TextSpec::new(Language::English, TextFields::Named(vec!["title".into(), "body".into()])));
        let mut life = Life::new(CollectionConfig { metric, text, ..CollectionConfig::default() });
        life.clock.advance(NOW - DAY);
        for batch in 0..1 + rng.below(4) {
            let documents =
                (0..1 + rng.below(20)).map(|n| Mutation::Upsert(document(&mut rng, 15 * batch + n)));
            life.collection.submit(documents.collect(), Level::Always).expect("stored");
            let gone = Mutation::Delete(format!("d{}", rng.below(40)));
            let used = Mutation::Touch(format!("d{}", rng.below(40)));
            let links = (0..rng.below(10)).map(|_| link(&mut rng));
            let batch = [gone, used].into_iter().chain(links).collect();
            life.collection.submit(batch, Level::Always).expect("stored");
            for kind in [JobKind::Seal, JobKind::Merge] {
                if rng.below(3) == 0 {
                    life.run(kind);
                }
            }
        }
        let view = life.view();
        let moment: Moment = view.moment(None, NOW).expect("now");
        assert_eq!(moment.time(), NOW);
        for n in 0..SEARCHES {
            let request = request(&mut rng);
            let at = format!("seed {seed}, search {n}: {request:?}");
            let found = view.search(&request, moment, &mut Scratch::default());
            let hits = found.unwrap_or_else(|e| panic!("{at}: {e}")).hits;
            check(metric, &request, &hits, &at);
            explained += hits.len();
            let explanations = || hits.iter().filter_map(|hit| hit.explanation.as_ref());
            fused += explanations().filter(|told| told.vector.is_some() && told.words.is_some()).count();
            lent += explanations().filter(|told| told.graph.is_some()).count();
            aged += explanations().filter(|told| told.decay.is_some_and(|left| left.factor < 1.0)).count();
        }
    }
    println!("counted: explained hits={explained} fused={fused} aged={aged} lent={lent}");
    assert!(
        explained > 10_000 && fused > 1_000 && aged > 1_000 && lent > 100,
        "{explained} {fused} {aged} {lent}"
    );
}
