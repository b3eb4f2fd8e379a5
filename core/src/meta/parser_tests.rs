//! The filter language: what is read, what is refused and where, and that printing gives it back.

use super::*;
use crate::base::value::parse_object;
use crate::base::{Error, Object};
use crate::meta::eval;

fn condition(text: &str) -> Expr {
    let filter = Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    filter.condition.expect("a condition")
}

fn refused(text: &str) -> FilterError {
    match Filter::parse(text) {
        Err(Error::Filter(e)) => *e,
        other => panic!("{text} gave {other:?}"),
    }
}

fn documents() -> Vec<Object> {
    [
        r#"{"n": 5, "s": "10", "tags": ["x", "y"], "b": true}"#,
        r#"{"n": 7, "title": "rock AND roll", "nested": {"deep": [{"k": 1}, {"k": null}]}}"#,
        r#"{"s": "5", "b": "true", "a.b": 1, "empty": []}"#,
    ]
    .map(|json| parse_object(json).expect("sound"))
    .to_vec()
}

fn found(text: &str) -> Vec<usize> {
    let (expr, documents) = (condition(text), documents());
    (0..documents.len()).filter(|&i| eval(&expr, &documents[i])).collect()
}

#[test]
fn filters_that_kektordb_misreads_mean_what_they_say() {
    assert_eq!(found("title='rock AND roll'"), [1]);
    assert_eq!(found("(n=5 OR n=7) AND n<6"), [0]);
    assert_eq!(found("NOT n=5"), [1, 2]);
    assert_eq!(found("n==5"), [0]);
    assert_eq!(found("n IN (5, 7)"), [0, 1]);
    assert_eq!(found("n NOT IN (5, 7)"), [2]);
    assert_eq!(found("n<>5"), [1, 2]);
    assert_eq!(found("b=True"), [0]);
    assert_eq!(refused("n=5 AND").position, 7);
    assert_eq!(refused("n").position, 1);
    let middle = Filter::parse("n>4 AND CONTAINS(content,'cats') AND n<10").expect("sound");
    assert_eq!(middle.condition, Some(condition("n > 4 AND n < 10")));
    let two = Filter::parse("contains(a, 'x y') AND (CONTAINS(b,\"it's\") and n=1)").expect("sound");
    let words: Vec<_> = two.words.iter().map(|w| (w.field.as_str(), w.text.as_str())).collect();
    assert_eq!(words, [("a", "x y"), ("b", "it's")]);
}

#[test]
fn comparisons_follow_the_type_of_the_value() {
    assert_eq!(found("s=5"), [2], "an unquoted number is also text");
    assert_eq!(found("n='5'"), [] as [usize; 0], "quoted text is no number");
    assert_eq!(found("b=true"), [0, 2]);
    assert_eq!(found("tags=y"), [0]);
    assert_eq!(found("tags!=y"), [1, 2]);
    assert_eq!(found("s > 1"), [] as [usize; 0], "a string is not in a range of numbers");
    assert_eq!(found("s > '1'"), [0, 2]);
    assert_eq!(found("nested.deep.k=null"), [1]);
    assert_eq!(found("nested.deep.k<=1.0"), [1]);
    assert_eq!(found("a.b=1"), [2]);
    assert_eq!(found("EXISTS(empty) OR exists(nested.deep)"), [1, 2]);
    assert_eq!(found("n BETWEEN 5 AND 6"), [0]);
    assert_eq!(found("n NOT BETWEEN 5 AND 6"), [1, 2]);
    assert_eq!(found("s BETWEEN '1' AND '2'"), [0], "text within text");
    assert_eq!(found("nested.deep.k BETWEEN 0 AND 2"), [1]);
    assert_eq!(found("title LIKE 'rock%roll' OR title LIKE 'ROCK%'"), [1]);
    assert_eq!(found("title ILIKE '%and%'"), [1]);
    assert_eq!(found("tags LIKE '_'"), [0], "any element");
    assert_eq!(found("n LIKE '5'"), [] as [usize; 0], "a number is no text");
    assert_eq!(found("tags CONTAINS x"), [0]);
    assert_eq!(found("tags ALL (x, y)"), [0]);
    assert_eq!(found("tags ALL (x, z)"), [] as [usize; 0]);
    assert_eq!(found("tags ANY (x, z)"), [0]);
    assert_eq!(found("n IS NULL"), [2]);
    assert_eq!(found("n IS NOT NULL"), [0, 1]);
    assert_eq!(found("nested.deep.k IS NULL"), [0, 1, 2], "a null among others counts");
    assert_eq!(found("missing=1"), [] as [usize; 0]);
    assert_eq!(found("missing!=1"), [0, 1, 2]);
}

#[test]
fn empty_is_what_has_nothing_in_it() {
    let is_empty = condition("a IS EMPTY");
    for json in [
        "{}",
        r#"{"a": null}"#,
        r#"{"a": ""}"#,
        r#"{"a": []}"#,
        r#"{"a": {}}"#,
        r#"{"a": [null, "", [], {}]}"#,
        r#"{"b": 1, "ab": 2}"#,
    ] {
        assert!(eval(&is_empty, &parse_object(json).expect("sound")), "{json}");
    }
    for json in [
        r#"{"a": 0}"#,
        r#"{"a": false}"#,
        r#"{"a": " "}"#,
        r#"{"a": [null, 0]}"#,
        r#"{"a": {"b": null}}"#,
        r#"{"a": [{}, {"": {}}]}"#,
        r#"{"a.b": null}"#,
    ] {
        let document = parse_object(json).expect("sound");
        assert!(!eval(&is_empty, &document) && eval(&condition("a is not empty"), &document), "{json}");
    }
    let within = condition("a.b IS EMPTY");
    let holds = |json: &str| eval(&within, &parse_object(json).expect("sound"));
    assert!(holds(r#"{"a": [{"b": ""}, {"c": 1}]}"#) && !holds(r#"{"a": [{"b": ""}, {"b": [1]}]}"#));
}

#[test]
fn errors_say_where_and_what_was_expected() {
    for (text, position, got, expected) in [
        ("n=5 AND", 7, "the end", "comparison"),
        ("n >", 3, "the end", "value"),
        ("n > null", 4, "null", "number, text or a date"),
        ("lang=en x", 8, "x", "AND, OR"),
        ("(n=5", 4, "the end", "parenthesis"),
        ("n=5)", 3, ")", "AND, OR"),
        ("n ! 5", 2, "'!'", "operator"),
        ("t = 'abc", 4, "does not end", "closing '"),
        ("n BETWEEN 1", 11, "the end", "upper bound"),
        ("n BETWEEN 1 AND x", 16, "x", "a number, as the lower bound"),
        ("n BETWEEN 'a' AND 1", 18, "1", "text, as the lower bound"),
        ("at > date(5)", 10, "5", "a date like 2024-05-01"),
        ("at > date('2024-02-30')", 10, "2024-02-30", "a date like 2024-05-01"),
        ("at > date('2024-02-03'", 22, "the end", "parenthesis"),
        ("at > date()", 10, ")", "a date like 2024-05-01"),
        ("at BETWEEN date('2024-02-03') AND '2024-05-01'", 34, "'2024-05-01'", "a date, as the lower bound"),
        ("at BETWEEN 5 AND date('2024-02-03')", 17, "date", "a number, as the lower bound"),
        ("n BETWEEN null AND 1", 10, "null", "number, text or a date"),
        ("n LIKE (1)", 7, "(", "a pattern in quotes"),
        ("n IS 5", 5, "5", "[NOT] NULL or EMPTY"),
        ("n IS NOT x", 9, "x", "NULL or EMPTY"),
        ("n ALL 5", 6, "5", "parenthesis"),
        ("n NEAR 5", 2, "NEAR", "operator"),
        ("n NOT 5", 6, "5", "IN"),
        ("n IN ()", 6, ")", "value"),
        ("MATCHES(a)", 9, ")", "comma"),
        ("n=1 OR CONTAINS(a, (b))", 19, "(", "words in quotes"),
        ("MATCHES a", 8, "a", "operator"),
        ("t=\u{201c}x\u{201d}", 2, "\u{201c}", "value"),
    ] {
        let e = refused(text);
        assert_eq!(e.position, position, "{text}: {e}");
        assert!(e.got.contains(got) && e.expected.contains(expected), "{text}: {e}");
    }
}

#[test]
fn words_score_in_the_top_conjunction_and_are_a_condition_elsewhere() {
    for (text, printed) in [
        ("MATCHES(t, 'long neck')", "MATCHES(t, 'long neck')"),
        ("matches(t, neck) AND CONTAINS(t, 'w')", "MATCHES(t, 'neck') AND CONTAINS(t, 'w')"),
        ("n=1 OR CONTAINS(a, 'b')", "n = 1 OR MATCHES(a, 'b')"),
        ("CONTAINS(a, 'b') OR n=1", "MATCHES(a, 'b') OR n = 1"),
        (
            "n=1 AND NOT (n=2 AND CONTAINS(a,'b') AND n=3)",
            "n = 1 AND NOT (n = 2 AND MATCHES(a, 'b') AND n = 3)",
        ),
        ("NOT CONTAINS(a,'b')", "NOT MATCHES(a, 'b')"),
        ("(CONTAINS(a,'b') OR n=1) AND CONTAINS(c,'d')", "(MATCHES(a, 'b') OR n = 1) AND CONTAINS(c, 'd')"),
        (
            "(CONTAINS(a,'b') AND (n=1 AND CONTAINS(c,'d')))",
            "n = 1 AND CONTAINS(a, 'b') AND CONTAINS(c, 'd')",
        ),
        ("matches = 1 AND `contains` = 2", "`matches` = 1 AND `contains` = 2"),
    ] {
        let filter = Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(filter.to_string(), printed, "{text}");
        assert_eq!(Filter::parse(printed).as_ref(), Ok(&filter), "{text}");
    }
    let found = condition("n = 1 OR MATCHES(b, 'y x') OR NOT MATCHES(a, 'x')");
    assert_eq!(found.matches(), [("a", "x"), ("b", "y x")]);
    assert_eq!(found.paths(), ["a", "b", "n"]);
}

#[test]
fn limits_hold() {
    let deep = |n: usize| format!("{}n=1{}", "(".repeat(n), ")".repeat(n));
    assert!(Filter::parse(&deep(FILTER_DEPTH_MAX)).is_ok());
    assert!(refused(&deep(FILTER_DEPTH_MAX + 1)).expected.contains("levels"));
    assert!(refused(&"NOT ".repeat(10_000)).expected.contains("levels"));
    let wide = |n: usize| vec!["n=1"; n].join(" OR ");
    assert!(Filter::parse(&wide(FILTER_NODES_MAX)).is_ok());
    assert!(refused(&wide(FILTER_NODES_MAX + 1)).expected.contains("comparisons"));
    assert!(refused(&" ".repeat(FILTER_BYTES_MAX + 1)).expected.contains("bytes"));
    assert!(refused(&format!("{}=1", "a".repeat(FIELD_PATH_BYTES_MAX + 1))).expected.contains("field"));
}

#[test]
fn printing_gives_the_filter_back() {
    for (text, printed) in [
        ("a=1 and b=2 or not (c=3 or d=4)", "a = 1 AND b = 2 OR NOT (c = 3 OR d = 4)"),
        ("((a=1) AND (b=2 AND c=3))", "a = 1 AND b = 2 AND c = 3"),
        ("`odd name`='it''s' AND \"in\"=\"a\\\"b\"", "`odd name` = 'it''s' AND `in` = 'a\"b'"),
        ("p='C:\\temp' AND q='\\\\'", "p = 'C:\\\\temp' AND q = '\\\\'"),
        ("a not in (1, x, null, TRUE)", "NOT a IN (1, 'x', null, TRUE)"),
        ("n between 1 and 5 and m not between a and b", "n BETWEEN 1 AND 5 AND NOT m BETWEEN 'a' AND 'b'"),
        ("t like 'a%' or t NOT ILIKE '%\\_''b'", "t LIKE 'a%' OR NOT t ILIKE '%\\\\_''b'"),
        ("a is null and b is not null", "(a = null OR NOT EXISTS(a)) AND NOT (b = null OR NOT EXISTS(b))"),
        ("tags contains x and tags not contains 'y'", "tags = 'x' AND NOT tags = 'y'"),
        (
            "tags any (x, y) and tags all (x, y) and tags all (z)",
            "tags IN ('x', 'y') AND tags = 'x' AND tags = 'y' AND tags = 'z'",
        ),
        ("a is empty and b is not empty", "a IS EMPTY AND NOT b IS EMPTY"),
        ("`empty` is empty", "`empty` IS EMPTY"),
        ("`all` = 1 and `ilike` = 2", "`all` = 1 AND `ilike` = 2"),
        ("country = IN AND state=OR", "country = 'IN' AND state = 'OR'"),
        (
            "at>=DATE(2024-05-01) and at in (date, date(\"2024-05-01 10:00\"))",
            "at >= date('2024-05-01') AND at IN ('date', date('2024-05-01 10:00'))",
        ),
        ("date = date and `date` = 1", "date = 'date' AND date = 1"),
        ("id=1e999 AND zip=00501 AND d=2024-01-02", "id = '1e999' AND zip = 00501 AND d = '2024-01-02'"),
    ] {
        assert_eq!(condition(text).to_string(), printed);
        assert_eq!(condition(printed), condition(text));
    }
    let filter = Filter::parse("CONTAINS(t,'w') AND (a=1 OR b=2)").expect("sound");
    assert_eq!(filter.to_string(), "(a = 1 OR b = 2) AND CONTAINS(t, 'w')");
    assert_eq!(Filter::parse(&filter.to_string()).expect("printed"), filter);
    assert_eq!(Filter::parse(" \n").expect("empty"), Filter::default());
    assert_eq!(condition("b=1 AND a.c=2 OR b IN (3)").paths(), ["a.c", "b"]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused_within_it(text in "[a-c0-9 '\"`()=<>!,.\\\\\u{e0}]{0,40}|(a|=|and|or|not|in|is|null|empty|like|between|all|matches|\\(|\\)|,| |'b'|5|contains|date|2024-05-01){0,20}") {
        match Filter::parse(&text) {
            Ok(filter) => proptest::prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter)),
            Err(Error::Filter(e)) => proptest::prop_assert!(e.position <= text.len()),
            Err(other) => panic!("{other}"),
        }
    }
}
