//! JSON of every surface: each body, and what becomes of it; documents come back from what a dump writes of them.

use kithdb::base::value::{decode_object, encode_object};
use kithdb::base::{Key, ManualClock, NEVER, Reader, Seq, Writer};
use kithdb::collection::Document;
use kithdb::segment::Row;
use kithdb::wire::{
    AddBody, CreateBody, DumpLine, GetBody, IdsBody, KeySetBody, KeysBody, LifeBody, Line, LineBody,
    NamedCreateBody, OpenBody, ReadBody, ScanBody, SearchBody, WriteBody, as_of, encode_cursor, parse,
    parse_cursor, parse_id, to_json,
};

use super::seed;

pub(super) fn run(data: &[u8]) {
    let Some((choice, json)) = data.split_first() else { return };
    let clock = ManualClock::at(1_000);
    match choice % 16 {
        0 => {
            let Ok(body) = parse::<AddBody<'_>>(json) else { return };
            drop((body.level(), body.replaces()));
            body.documents(&clock).unwrap_or_default().iter().for_each(comes_back);
        }
        1 => {
            if let Ok(Ok(Line::Document(document))) = parse::<LineBody<'_>>(json).map(LineBody::line) {
                comes_back(&document);
            }
        }
        2 => drop(parse::<CreateBody>(json).map(|body| body.config("c", None))),
        3 => drop(NamedCreateBody::parse(json).map(|body| body.create.config(&body.name, None))),
        4 => {
            let Ok(Ok(request)) = parse::<SearchBody>(json).map(SearchBody::request) else { return };
            drop(request.check());
        }
        5 => drop(parse::<ScanBody>(json).map(|body| body.page())),
        6 => drop(parse::<GetBody>(json).map(|body| as_of(body.as_of.as_ref()))),
        7 => drop(parse::<IdsBody>(json)),
        8 => drop(parse::<KeySetBody>(json).map(|body| body.level())),
        9 => drop(parse::<KeysBody>(json).map(|body| body.limit())),
        10 => drop(parse::<OpenBody>(json)),
        11 => drop(parse::<ReadBody>(json).map(|body| as_of(body.as_of.as_ref()))),
        12 => drop(parse::<WriteBody>(json).map(|body| body.level())),
        13 => drop(parse::<LifeBody>(json).map(|body| body.end(&clock))),
        14 => id(json),
        _ => cursor(json),
    }
}

/// A line of a dump gives the document that it was made of, and its metadata has one form.
fn comes_back(document: &Document) {
    let mut w = Writer::new();
    encode_object(&document.metadata, &mut w);
    let mut r = Reader::new(w.as_slice());
    assert_eq!(decode_object(&mut r).as_ref(), Ok(&document.metadata));
    if document.vector.iter().flatten().any(|x| !x.is_finite()) {
        return; // refused when it is added
    }
    let row = Row {
        id: document.id.as_str().into(),
        key: Key(0),
        seq: Seq(1),
        valid_from: 5,
        expires_at: document.expires_at.unwrap_or(NEVER),
        vector: document.vector.clone().map(Into::into),
        inverse_norm: 0.0,
        metadata: document.metadata.clone(),
    };
    let json = to_json(&DumpLine::from(&row));
    let again = parse::<LineBody<'_>>(json.as_bytes()).and_then(LineBody::line);
    let Ok(Line::Document(again)) = again else { panic!("no line of a dump: {json}") };
    assert_eq!((&again.id, &again.metadata), (&document.id, &document.metadata), "{json}");
    assert_eq!(again.expires_at, document.expires_at.filter(|time| *time < NEVER), "{json}");
    let bits = |vector: &Option<Vec<f32>>| vector.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&again.vector), bits(&document.vector), "{json}");
}

fn id(bytes: &[u8]) {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    if let Ok(id) = parse_id(&units) {
        assert_eq!(id.encode_utf16().collect::<Vec<_>>(), units);
    }
}

fn cursor(bytes: &[u8]) {
    if let Some(seq) = std::str::from_utf8(bytes).ok().and_then(|text| parse_cursor(text).ok()) {
        assert_eq!(parse_cursor(&encode_cursor(seq)), Ok(seq));
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let bodies: [(u8, &str); 17] = [
        (
            0,
            r#"{"documents":[{"id":"a","vector":[1,-2.5e-3],"metadata":{"n":1,"t":"x\u00e9\n","l":[null,true,1.5]},"ttl":"1h"},{"id":"b"}],"mode":"insert","durability":"always"}"#,
        ),
        (
            0,
            r#"{"documents":[{"id":"c","expires_at":"2026-11-21T10:00:00Z","metadata":null,"vector":null}]}"#,
        ),
        (
            1,
            r#"{"id":"a","vector":[0.1],"metadata":{"a":{"b":9007199254740993}},"seq":3,"valid_from":5,"expires_at":"2262-04-11T23:47:16Z"}"#,
        ),
        (
            2,
            r#"{"metric":"dot","dim":3,"text":{"language":"italian","fields":["a","b.c"],"languages":{"a":"sv"},"k1":0.9,"b":0,"weights":{"a":2}},"m":8,"ef_construction":100,"history":"30d"}"#,
        ),
        (2, r#"{"text":{"fields":"all"},"embedder":false}"#),
        (3, r#"{"name":"c","metric":"manhattan","embedder":"x"}"#),
        (
            4,
            r#"{"vector":[1,2],"text":"a b","as_of":"2026-01-01T00:00:00Z","filter":"n > 1","k":5,"offset":1,"ef":64,"alpha":0.25,"exact":true,"explain":true,"with_vector":true}"#,
        ),
        (4, r#"{"text":"x","rrf_k":60}"#),
        (5, r#"{"limit":10,"cursor":"1f","as_of":12}"#),
        (6, r#"{"ids":["a","b"],"as_of":"0"}"#),
        (8, r#"{"value":"v","durability":"os"}"#),
        (9, r#"{"prefix":"p","cursor":"c","limit":3}"#),
        (10, r#"{"path":"d","durability":"memory","threads":2}"#),
        (12, r#"{"durability":"everysec"}"#),
        (13, r#"{"expires_at":9223372036854775807}"#),
        (14, "a\0b\0\u{3}\u{2}"),
        (15, "ffffffffffffffff"),
    ];
    bodies.iter().map(|(choice, json)| seed(&[*choice], json.as_bytes())).collect()
}
