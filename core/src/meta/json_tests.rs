//! Filters as trees of JSON: what is read, what is refused and where, and that both forms say the same.

use super::*;
use crate::base::Error;
use crate::meta::columns::tests::exprs;
use proptest::prelude::*;

fn tree(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn refused(text: &str) -> FilterTreeError {
    match Filter::from_json(&tree(text)) {
        Err(Error::FilterTree(e)) => *e,
        other => panic!("{text} gave {other:?}"),
    }
}

#[test]
fn trees_say_what_texts_say() {
    let condition = |op: &str, value: &str| {
        let value = if value.is_empty() { String::new() } else { format!(r#", "value": {value}"#) };
        format!(r#"{{"field": "a", "op": "{op}"{value}}}"#)
    };
    for (op, value, text) in [
        ("=", "5", "a = 5"),
        ("==", r#""5""#, "a = '5'"),
        ("!=", "true", "a != true"),
        ("<>", "null", "a != null"),
        ("<", "-2.5", "a < -2.5"),
        ("<=", r#""x""#, "a <= x"),
        (">", "1e3", "a > 1000"),
        (">=", r#"{"unquoted": "05"}"#, "a >= 05"),
        ("=", r#"{"date": "2024-05-01"}"#, "a = date('2024-05-01')"),
        ("<", r#"{"date": "2024-05-01T10:00:00+02:00"}"#, "a < date(2024-05-01T10:00:00+02:00)"),
        ("in", r#"[{"date": "2024-05-01"}, 5]"#, "a IN (date('2024-05-01'), 5)"),
        (
            "between",
            r#"[{"date": "2024-05-01"}, {"date": "2024-06-01 12:00"}]"#,
            "a BETWEEN date('2024-05-01') AND date('2024-06-01 12:00')",
        ),
        ("in", r#"[1, "x", null, false]"#, "a IN (1, x, null, false)"),
        ("not in", "[1]", "a NOT IN (1)"),
        ("any", "[1, 2]", "a ANY (1, 2)"),
        ("not any", "[1, 2]", "a NOT ANY (1, 2)"),
        ("all", "[1, 2]", "a ALL (1, 2)"),
        ("not all", "[1, 2]", "a NOT ALL (1, 2)"),
        ("contains", r#""x""#, "a CONTAINS x"),
        ("not contains", r#""x""#, "a NOT CONTAINS x"),
        ("between", "[1, 2.5]", "a BETWEEN 1 AND 2.5"),
        ("not between", r#"["a", "b"]"#, "a NOT BETWEEN a AND b"),
        ("like", r#""gir%""#, "a LIKE 'gir%'"),
        ("not like", r#""gir%""#, "a NOT LIKE 'gir%'"),
        ("ilike", r#""gir%""#, "a ILIKE 'gir%'"),
        ("not ilike", r#""it's""#, "a NOT ILIKE 'it''s'"),
        ("is null", "", "a IS NULL"),
        ("is not null", "", "a IS NOT NULL"),
        ("is empty", "", "a IS EMPTY"),
        ("is not empty", "", "a IS NOT EMPTY"),
        ("exists", "", "EXISTS(a)"),
        ("matches", r#""long neck""#, "MATCHES(a, 'long neck')"),
        ("words", r#""long neck""#, "CONTAINS(a, 'long neck')"),
    ] {
        for (json, text) in [
            (condition(op, value), text.to_owned()),
            (format!(r#"{{"not": {}}}"#, condition(op, value)), format!("NOT {text}")),
            (
                format!(r#"{{"or": [{0}, {{"and": [{0}, {0}]}}]}}"#, condition(op, value)),
                format!("{text} OR {text} AND {text}"),
            ),
            (
                format!(r#"{{"and": [{0}, {{"and": [{0}]}}, {{"or": [{0}, {0}]}}]}}"#, condition(op, value)),
                format!("{text} AND {text} AND ({text} OR {text})"),
            ),
        ] {
            let filter = Filter::from_json(&tree(&json)).unwrap_or_else(|e| panic!("{json}: {e}"));
            assert_eq!(Filter::parse(&text).as_ref(), Ok(&filter), "{json}");
            assert_eq!(Filter::from_json(&filter.to_json()).as_ref(), Ok(&filter), "{json}");
        }
    }
    assert_eq!(Filter::from_json(&Value::Null), Ok(Filter::default()));
    assert_eq!(Filter::default().to_json(), Value::Null);
}

#[test]
fn errors_say_where_and_what_was_expected() {
    for (json, at, got, expected) in [
        ("5", "filter", "5", "an object with and"),
        ("{}", "filter", "{}", "an object with and"),
        (r#"{"op": "="}"#, "filter", r#"{"op":"="}"#, "field"),
        (r#"{"and": []}"#, "filter.and", "[]", "at least one"),
        (r#"{"or": {}}"#, "filter.or", "{}", "a list"),
        (r#"{"and": [], "or": []}"#, "filter", "key \"or\"", "and and nothing beside it"),
        (r#"{"not": [1]}"#, "filter.not", "[1]", "an object"),
        (
            r#"{"and": [{"field": "a", "op": "exists"}, {"field": "b", "op": "IN", "value": [1]}]}"#,
            "filter.and[1].op",
            "\"IN\"",
            "[not ]in",
        ),
        (
            r#"{"not": {"or": [{"field": 5, "op": "exists"}]}}"#,
            "filter.not.or[0].field",
            "5",
            "the name of a field",
        ),
        (r#"{"field": "a"}"#, "filter", "no op", "field, op"),
        (r#"{"field": "a", "op": 5}"#, "filter.op", "5", "="),
        (r#"{"field": "a", "op": "not ="}"#, "filter.op", "\"not =\"", "="),
        (r#"{"field": "a", "op": "not exists"}"#, "filter.op", "\"not exists\"", "exists"),
        (r#"{"field": "a", "op": "="}"#, "filter", "no value", "a value for ="),
        (r#"{"field": "a", "op": "exists", "value": null}"#, "filter", "a value", "no value with exists"),
        (r#"{"field": "a", "op": "=", "value": 1, "boost": 2}"#, "filter", "\"boost\"", "field, op, value"),
        (r#"{"field": "a", "op": "=", "value": [1]}"#, "filter.value", "[1]", "a value: text"),
        (r#"{"field": "a", "op": "=", "value": {"unquoted": 1}}"#, "filter.value", "{", "a value: text"),
        (
            r#"{"field": "a", "op": ">", "value": true}"#,
            "filter.value",
            "true",
            "a number, text or a date after >",
        ),
        (
            r#"{"field": "a", "op": "=", "value": {"date": "May"}}"#,
            "filter.value",
            "May",
            "a date like 2024-05-01",
        ),
        (r#"{"field": "a", "op": "=", "value": {"date": 5}}"#, "filter.value", "{", "a value: text"),
        (
            r#"{"field": "a", "op": "between", "value": [{"date": "2024-05-01"}, "2024-06-01"]}"#,
            "filter.value[1]",
            "2024-06-01",
            "a date, as the lower bound",
        ),
        (r#"{"field": "a", "op": "in", "value": 1}"#, "filter.value", "1", "at least one value"),
        (r#"{"field": "a", "op": "in", "value": []}"#, "filter.value", "[]", "at least one value"),
        (r#"{"field": "a", "op": "all", "value": [1, {}]}"#, "filter.value[1]", "{}", "a value: text"),
        (
            r#"{"field": "a", "op": "between", "value": [1]}"#,
            "filter.value",
            "[1]",
            "the lower and the upper",
        ),
        (r#"{"field": "a", "op": "between", "value": [1, "x"]}"#, "filter.value[1]", "\"x\"", "a number"),
        (r#"{"field": "a", "op": "between", "value": ["x", 1]}"#, "filter.value[1]", "1", "text"),
        (r#"{"field": "a", "op": "like", "value": 1}"#, "filter.value", "1", "a pattern"),
        (r#"{"field": "a", "op": "words", "value": ["x"]}"#, "filter.value", "[\"x\"]", "words"),
    ] {
        let e = refused(json);
        assert_eq!(e.at, at, "{json}: {e}");
        assert!(e.got.contains(got) && e.expected.contains(expected), "{json}: {e}");
    }
}

#[test]
fn limits_hold() {
    let leaf = r#"{"field": "a", "op": "=", "value": 1}"#;
    let deep = |n: usize, leaf: &str| {
        (0..n).fold(tree(leaf), |tree, i| {
            if i % 2 == 0 { object("not", tree) } else { object("and", Value::Array(vec![tree])) }
        })
    };
    assert!(Filter::from_json(&deep(FILTER_DEPTH_MAX, leaf)).is_ok());
    let refusal = |tree: &Value| Filter::from_json(tree).expect_err("too much").to_string();
    assert!(refusal(&deep(FILTER_DEPTH_MAX + 1, leaf)).contains("levels"));
    let not_null = r#"{"field": "a", "op": "is not null"}"#;
    let printed = |depth| Filter::from_json(&deep(depth, not_null)).map(|filter| filter.to_string());
    let deepest = printed(FILTER_DEPTH_MAX - 3).expect("within the limit");
    assert!(Filter::parse(&deepest).is_ok(), "what is read can be printed and read");
    assert!(printed(FILTER_DEPTH_MAX - 2).is_err());
    let wide = |n: usize| object("or", Value::Array(vec![tree(leaf); n]));
    assert!(Filter::from_json(&wide(FILTER_NODES_MAX)).is_ok());
    assert!(refusal(&wide(FILTER_NODES_MAX + 1)).contains("comparisons"));
    let values = |n: usize| condition_of("a", "in", Some(Value::Array(vec![Value::Int(1); n])));
    assert!(Filter::from_json(&values(FILTER_NODES_MAX)).is_ok());
    assert!(refusal(&values(FILTER_NODES_MAX + 1)).contains("comparisons"));
    let long = |n: usize| condition_of("a", "=", Some(Value::Str("x".repeat(n))));
    assert!(Filter::from_json(&long(FILTER_BYTES_MAX - 1)).is_ok());
    assert!(refusal(&long(FILTER_BYTES_MAX)).contains("bytes"));
    assert!(
        refusal(&condition_of(&"a".repeat(FIELD_PATH_BYTES_MAX + 1), "exists", None)).contains("a field")
    );
}

fn filters() -> impl Strategy<Value = Filter> {
    let part = ("[ab]", "[a-c' ]{0,6}").prop_map(|(field, text)| WordsPart { field, text });
    (prop::option::of(exprs()), prop::collection::vec(part, 0..3))
        .prop_map(|(condition, words)| Filter { condition, words })
}

/// Any JSON that looks a little like a tree.
fn trees() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["a", "=", "in", "not in", "between", "like", "is null", "exists", "words"])
            .prop_map(|text| Value::Str(text.to_owned())),
        prop_oneof![Just(Value::Null), Just(Value::Bool(true)), Just(Value::Int(5)), Just(Value::Float(2.5))],
    ];
    let keys = prop::sample::select(vec!["and", "or", "not", "field", "op", "value", "unquoted", "x"]);
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let condition = (inner.clone(), inner.clone()).prop_map(|(op, value)| {
            let field = Value::Str("a".to_owned());
            Value::Object(
                [("field", field), ("op", op), ("value", value)].map(|(k, v)| (k.to_owned(), v)).into(),
            )
        });
        let fields = prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner.clone(), 0..3);
        prop_oneof![
            2 => condition,
            2 => prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            2 => fields.prop_map(Value::Object),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn filters_survive_both_forms(filter in filters()) {
        let written = json(&filter.to_json());
        let read = Filter::from_json(&tree(&written));
        prop_assert_eq!(read.as_ref(), Ok(&filter), "{}", written);
        let text = Filter::parse(&filter.to_string()).expect("printed");
        prop_assert_eq!(text.to_json(), filter.to_json());
    }

    #[test]
    fn any_tree_is_read_or_refused(tree in trees()) {
        match Filter::from_json(&tree) {
            Ok(filter) => {
                let again = Filter::from_json(&filter.to_json());
                prop_assert_eq!(again.as_ref(), Ok(&filter));
                prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
            }
            Err(Error::FilterTree(e)) => prop_assert!(e.at.starts_with("filter")),
            Err(other) => panic!("{other}"),
        }
    }
}
