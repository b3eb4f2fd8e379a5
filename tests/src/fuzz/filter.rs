//! Filters: read, printed, and answered from columns as they are from documents.

use std::sync::{Arc, LazyLock};

use kithdb::base::value::parse_object;
use kithdb::base::{Error, Object, Value};
use kithdb::meta::{Columns, ColumnsBuilder, Filter, eval};
use kithdb::storage::blob::{Resident, build};
use kithdb::storage::{Blob, BlobId, BlobKind};

/// Documents whose fields are those of the seeds, in many shapes.
static DOCUMENTS: LazyLock<Vec<Object>> = LazyLock::new(|| {
    [
        r#"{"n": 5, "s": "10", "tags": ["x", "y"], "b": true}"#,
        r#"{"n": 7, "title": "rock AND roll", "nested": {"deep": [{"k": 1}, {"k": null}]}}"#,
        r#"{"s": "5", "b": "true", "a.b": 1, "empty": [], "n": null}"#,
        r#"{"n": [1, 2.5, "5", false], "s": "", "title": "r"}"#,
        r#"{"n": 9007199254740993, "s": "10 percent", "b": false, "nested": {}}"#,
        r#"{"n": "2024-05-01T10:00:00+02:00", "at": ["2024-05-01", "2024-05-01 08:00", "2024-02-30", "May"]}"#,
        "{}",
    ]
    .map(|json| parse_object(json).expect("JSON"))
    .to_vec()
});

static COLUMNS: LazyLock<Columns> = LazyLock::new(|| {
    let mut builder = ColumnsBuilder::new();
    for (slot, document) in (0..).zip(DOCUMENTS.iter()) {
        builder.push(slot, document);
    }
    let id = BlobId::new(1, 1, BlobKind::Columns);
    let bytes = build(id, &builder.sections(DOCUMENTS.len() as u32));
    let blob = Blob::open(id, Arc::new(Resident::new(Arc::new(bytes)))).expect("built here");
    Columns::open(&blob).expect("built here")
});

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // No text of the language begins like a tree.
    let read = match serde_json::from_str::<Value>(text) {
        Ok(tree @ Value::Object(_)) => Filter::from_json(&tree),
        _ => Filter::parse(text),
    };
    let Ok(filter) = read else { return };
    let printed = filter.to_string();
    assert_eq!(Filter::parse(&printed).as_ref(), Ok(&filter), "{printed}");
    match Filter::from_json(&filter.to_json()) {
        Ok(again) => assert_eq!(again, filter, "{printed}"),
        // Its levels are counted otherwise than those of text.
        Err(Error::FilterTree(e)) => assert!(e.expected.starts_with("at most"), "{e}"),
        Err(e) => panic!("{e}"),
    }
    if let Some(condition) = &filter.condition {
        let selected = COLUMNS.select(condition).expect("in memory");
        for (slot, document) in DOCUMENTS.iter().enumerate() {
            assert_eq!(selected.contains(slot), eval(condition, document), "{text} on document {slot}");
        }
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "n = 5",
        "(n=5 OR n=7) AND n<6",
        "NOT n==5 and s <> '10'",
        "n IN (5, 7) or tags NOT IN ('x', \"y\")",
        "EXISTS(nested.deep.k) AND `a.b` >= 1",
        "title = 'rock AND roll' AND CONTAINS(title, 'it''s')",
        "n > 1e3 OR n <= -2.5 OR s = null OR b = TRUE",
        "n = 9007199254740993 OR n = 9007199254740992.0",
        "nested IS EMPTY OR empty IS NOT EMPTY AND s is empty",
        r#"{"and": [{"field": "n", "op": ">=", "value": 5}, {"not": {"field": "s", "op": "in", "value": ["x", null]}}]}"#,
        r#"{"or": [{"field": "n", "op": "between", "value": [1, {"unquoted": "05"}]}, {"field": "s", "op": "is not null"}]}"#,
        r#"{"and": [{"field": "title", "op": "words", "value": "rock"}, {"field": "title", "op": "not ilike", "value": "R%"}]}"#,
        "at BETWEEN date('2024-05-01') AND DATE(2024-05-01T10:00:00.5+02:00) OR n != date('2024-05-01 08:00')",
        "at IN (date('2024-05-01'), 'May', date) AND NOT at > date(\"9999-12-31T23:59:59Z\")",
        r#"{"field": "at", "op": "between", "value": [{"date": "2024-05-01"}, {"date": "2024-05-01T08:00Z"}]}"#,
        "MATCHES(title, 'rock') OR NOT CONTAINS(title, 'roll') AND `matches` = 1",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
