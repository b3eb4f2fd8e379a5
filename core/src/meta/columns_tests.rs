//! Columns against the specification of filters, over random documents and random expressions.

use proptest::prelude::*;

use super::*;
use crate::base::Object;
use crate::base::value::parse_object;
use crate::meta::{ColumnsBuilder, Filter, FilterStep, Pattern, eval, eval_with, has_path};
use crate::storage::{BlobId, BlobKind, Section};

const PATHS_ASKED: [&str; 9] = ["a", "b", "a.b", "b.a", "a.b.a", "", ".a", "a.", "missing"];

fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3i64..6).prop_map(Value::Int),
        // Around 2^53 and 2^60, where f64 can't tell neighbours apart.
        (-2i64..3).prop_map(|d| Value::Int((1 << 53) + d)),
        (-2i64..3).prop_map(|d| Value::Int((1 << 60) + d)),
        Just(Value::Float((1u64 << 60) as f64)),
        Just(Value::Float(2.5)),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter_map("finite", Value::number),
    ]
}

fn strings() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "5",
            "2.5",
            "true",
            "null",
            "",
            "abcdefgh",
            "abcdefghi",
            "abcdefgh\0",
            "O'Hara \\",
            "2024-05-01",
            "2024-05-01T00:00Z",
            "2024-05-01T02:00:00+02:00",
            "2024-05-01T00:00:00.5",
            "2024-04-30 23:59",
            "2024-04-31",
            "2024-05-01 at noon"
        ])
        .prop_map(str::to_owned),
        "[ab\u{e0}]{0,10}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        3 => numbers(),
        3 => strings().prop_map(Value::Str),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map(names(), inner, 0..3).prop_map(Value::Object),
        ]
    })
}

fn names() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "a.b", ""]).prop_map(str::to_owned)
}

pub(crate) fn documents() -> impl Strategy<Value = Vec<Object>> {
    prop::collection::vec(prop::collection::btree_map(names(), values(), 0..4), 0..12)
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        strings().prop_map(Literal::Text),
        numbers().prop_map(|x| match x {
            Value::Int(x) => Literal::bare(&x.to_string()),
            Value::Float(x) => Literal::bare(&format!("{x:e}")),
            _ => Literal::Null,
        }),
        prop::sample::select(vec!["true", "False", "null", "05", "5.0"]).prop_map(Literal::bare),
        prop::sample::select(vec![
            "2024-05-01",
            "2024-05-01T00:00:00.5Z",
            "2024-04-30T22:59-01:00",
            "9999-12-31"
        ])
        .prop_map(|text| Literal::date(text).expect("a date")),
    ]
}

/// Any condition that can be read.
pub(in crate::meta) fn exprs() -> impl Strategy<Value = Expr> {
    let field = prop::sample::select(PATHS_ASKED.to_vec()).prop_map(str::to_owned);
    let op = prop::sample::select(vec![Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge]);
    let leaf = prop_oneof![
        5 => (field.clone(), op, literals()).prop_map(|(field, op, value)| {
            // The parser refuses ranges of null and booleans.
            let op = if value.bound().is_some() { op } else { Op::Eq };
            Expr::Compare { field, op, value }
        }),
        1 => (field.clone(), prop::collection::vec(literals(), 1..4)).prop_map(|(field, values)| Expr::In { field, values }),
        2 => (field.clone(), literals(), literals()).prop_filter_map("bounds of one kind", |(field, low, high)| {
            let is_range = low.bound().is_some() && low.bound() == high.bound();
            is_range.then_some(Expr::Between { field, low, high })
        }),
        2 => (field.clone(), "[ab%_5\u{e0}\\\\A]{0,6}", any::<bool>()).prop_map(|(field, text, ignores_case)| {
            Expr::Like { field, pattern: Pattern::new(&text, ignores_case) }
        }),
        1 => field.clone().prop_map(|field| Expr::Exists { field }),
        1 => field.clone().prop_map(|field| Expr::Empty { field }),
        1 => (field, strings()).prop_map(|(field, text)| Expr::Matches { field, text }),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| Expr::and(parts).expect("not empty")),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| Expr::or(parts).expect("not empty")),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

fn sections(documents: &[Object]) -> Vec<Section> {
    let mut builder = ColumnsBuilder::new();
    documents.iter().enumerate().for_each(|(slot, document)| builder.push(slot as u32, document));
    builder.sections(documents.len() as u32)
}

pub(crate) fn columns(documents: &[Object]) -> Columns {
    open(&sections(documents)).expect("just built")
}

fn open(sections: &[Section]) -> Result<Columns> {
    let id = BlobId::new(1, 1, BlobKind::Columns);
    Columns::open(&Blob::in_memory(id, sections)?)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn columns_select_what_the_specification_says(documents in documents(), expr in exprs()) {
        let columns = columns(&documents);
        let selected = columns.select(&expr).expect("sound");
        prop_assert!(columns.estimate(&expr).expect("sound") <= documents.len());
        for (slot, document) in documents.iter().enumerate() {
            prop_assert_eq!(selected.contains(slot), eval(&expr, document), "{} in {:?}", expr, document);
        }
        // Words are somebody else's business: here a field has them when it equals the text.
        let has_words = |document: &Object, field: &str, text: &str| {
            document.get(field).and_then(Value::as_str) == Some(text)
        };
        let matching = |field: &str, text: &str| {
            let mut found = Bitmap::empty(documents.len());
            (0..documents.len()).filter(|i| has_words(&documents[*i], field, text)).for_each(|i| found.insert(i));
            Ok(found)
        };
        let selected = columns.select_with(&expr, &matching).expect("sound");
        for (slot, document) in documents.iter().enumerate() {
            let holds = eval_with(&expr, document, &|field, text| has_words(document, field, text));
            prop_assert_eq!(selected.contains(slot), holds, "{} in {:?}", expr, document);
        }
        for path in PATHS_ASKED {
            prop_assert_eq!(columns.has_path(path), documents.iter().any(|d| has_path(d, path)));
        }
    }

    #[test]
    fn printed_expressions_are_read_back(expr in exprs()) {
        let filter = Filter::parse(&expr.to_string());
        prop_assert_eq!(filter.map(|filter| filter.condition), Ok(Some(expr)));
    }

    #[test]
    fn damaged_sections_are_refused_or_read_cleanly(
        documents in documents(),
        expr in exprs(),
        section in 0usize..8,
        at: prop::sample::Index,
        byte: u8,
        cut: bool,
    ) {
        let mut sections = sections(&documents);
        let bytes = &mut sections[section].bytes;
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
        }
        // The checksums are right: only the meaning of the bytes is not.
        if let Ok(columns) = open(&sections) && columns.n_slots() < 1 << 20 {
            let _ = columns.select(&expr);
        }
    }
}

#[test]
fn fields_too_long_for_a_filter_are_stored_and_not_indexed() {
    let long = "a".repeat(300);
    let document = parse_object(&format!(r#"{{"{long}": {{"b": 1}}, "c": 2}}"#)).expect("sound");
    let columns = open(&sections(std::slice::from_ref(&document))).expect("just built");
    assert!(columns.has_path("c") && !columns.has_path(&long) && !columns.has_path(&format!("{long}.b")));
    assert!(!eval(&Expr::Exists { field: long }, &document));
    // A path that is just short enough is one, and what goes on from it is not.
    for (len, n) in [(253, 1), (254, 1), (255, 2), (256, 2), (257, 1)] {
        let name = "a".repeat(len);
        let document = parse_object(&format!(r#"{{"{name}": {{"{}": 1}}}}"#, "b".repeat(n))).expect("sound");
        let columns = open(&sections(std::slice::from_ref(&document))).expect("just built");
        let empty = Expr::Empty { field: name };
        assert_eq!(eval(&empty, &document), len + 1 + n > 256, "{len} and {n}");
        assert_eq!(columns.select(&empty).expect("sound").contains(0), len + 1 + n > 256, "{len} and {n}");
    }
}

#[test]
fn no_documents_have_columns_too() {
    let columns = open(&sections(&[])).expect("just built");
    assert_eq!(columns.n_slots(), 0);
    assert!(!columns.has_path("a"));
}

#[test]
fn estimates_are_exact_for_a_comparison_and_cautious_for_patterns() {
    let documents: Vec<Object> = (0..100)
        .map(|i| {
            let lang = if i % 10 == 0 { "it" } else { "en" };
            parse_object(&format!(r#"{{"n": {i}, "lang": "{lang}", "t": "{lang}{i}"}}"#)).expect("sound")
        })
        .collect();
    let columns = open(&sections(&documents)).expect("just built");
    for (text, expected) in [
        ("n = 5", 1),
        ("n != 5", 99),
        ("n < 30", 30),
        ("n BETWEEN 10 AND 200", 90),
        ("lang = it", 10),
        ("lang IN (it, en)", 100),
        ("lang = it AND n < 30", 10),
        ("lang = it OR n < 30", 40),
        ("NOT lang = it", 90),
        ("t LIKE 'it%5'", 10),
        ("t LIKE '%5'", 100),
        ("EXISTS(n) AND missing IS EMPTY", 100),
        ("missing = 1", 0),
        ("MATCHES(t, 'x')", 100),
    ] {
        let condition = Filter::parse(text).expect("sound").condition.expect("one");
        assert_eq!(columns.estimate(&condition), Ok(expected), "{text}");
    }
}

#[test]
fn the_conditions_of_a_filter_are_told_as_they_are_answered() {
    let documents: Vec<Object> = (0..100)
        .map(|i| {
            let lang = if i % 10 == 0 { "it" } else { "en" };
            parse_object(&format!(r#"{{"n": {i}, "lang": "{lang}", "t": "{lang}{i}"}}"#)).expect("sound")
        })
        .collect();
    let columns = open(&sections(&documents)).expect("just built");
    let mut within = Bitmap::empty(100);
    (0..100).filter(|i| *i != 20).for_each(|i| within.insert(i));
    let matching = |_: &str, _: &str| Ok(Bitmap::full(100));
    let told = |text: &str| {
        let condition = Filter::parse(text).expect("sound").condition.expect("one");
        let mut steps = Vec::new();
        let found = columns.answer(&condition, Some(&within), &matching, Some(&mut steps)).expect("sound");
        assert_eq!(steps.last().map(|step| step.left), Some(found.count()), "{text}");
        let told = |step: &FilterStep| {
            let ways = step.ways.iter().map(|way| way.name()).collect::<Vec<_>>().join("+");
            format!("{}: {:?} -> {} by {ways}", step.condition, step.estimated, step.left)
        };
        steps.iter().map(told).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        told("t LIKE '%0' AND MATCHES(t, 'x') AND n < 50 AND lang = it"),
        "lang = 'it': Some(10) -> 9 by sorted; n < 50: Some(50) -> 4 by sorted; \
         MATCHES(t, 'x'): Some(100) -> 4 by postings; t LIKE '%0': Some(100) -> 4 by texts"
    );
    assert_eq!(told("n < 5 OR t LIKE 'it%'"), "n < 5 OR t LIKE 'it%': Some(15) -> 13 by sorted+texts");
    assert_eq!(told("NOT (n < 5 AND lang = it)"), "NOT (n < 5 AND lang = 'it'): Some(95) -> 98 by sorted");
    assert_eq!(told("missing IS EMPTY"), "missing IS EMPTY: Some(100) -> 99 by ");
    assert_eq!(
        told("lang = it AND n = 1 AND t = en1"),
        "n = 1: Some(1) -> 1 by sorted; t = 'en1': Some(1) -> 1 by sorted; lang = 'it': Some(10) -> 0 by sorted"
    );
    assert_eq!(
        told("n > 200 AND lang = it"),
        "n > 200: Some(0) -> 0 by sorted",
        "nothing is left for the other"
    );
    assert_eq!(
        told("t LIKE 'q%' AND n > 0"),
        "n > 0: Some(99) -> 98 by sorted; t LIKE 'q%': Some(0) -> 0 by ",
        "no text begins so"
    );
}

#[test]
fn dates_are_found_by_moment_and_only_texts_that_can_be_dates_are_read() {
    let texts = [
        "2024-05-01",
        "2024-05-01T01:00:00+01:00",
        "2024-05-02 12:30",
        "2024-06-31",
        "20 of 2024-05",
        "a long text",
        "9",
    ];
    let documents: Vec<Object> = texts
        .iter()
        .map(|text| parse_object(&format!(r#"{{"at": ["{text}", 5], "n": 5}}"#)).expect("sound"))
        .collect();
    let columns = open(&sections(&documents)).expect("just built");
    for (text, expected) in [
        ("at = date('2024-05-01')", vec![0, 1]),
        ("at = '2024-05-01'", vec![0]),
        ("at > date(2024-05-01)", vec![2]),
        ("at >= date('2024-05-01T00:00:00Z') AND at < date('2024-05-02')", vec![0, 1]),
        ("at BETWEEN date('2024-05-01T00:00:01Z') AND date('2024-05-02T12:30:00.000')", vec![2]),
        ("at BETWEEN date('2024-05-03') AND date('2024-05-01')", vec![]),
        ("at IN (date('2024-05-02T14:30+02:00'), 'a long text')", vec![2, 5]),
        ("at != date('2024-05-01')", vec![2, 3, 4, 5, 6]),
        ("n < date('9999-12-31') OR missing > date('2024-05-01')", vec![]),
    ] {
        let condition = Filter::parse(text).expect("sound").condition.expect("one");
        let found: Vec<usize> = columns.select(&condition).expect("sound").iter().collect();
        assert_eq!(found, expected, "{text}");
        if !text.contains(" AND ") && !text.contains(" IN ") {
            assert_eq!(columns.estimate(&condition), Ok(expected.len()), "{text}");
        }
    }
}
