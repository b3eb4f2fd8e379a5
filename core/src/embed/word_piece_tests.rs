//! WordPiece: the tokens of the `tokenizers` library (0.23.3) on the same file, and what is refused.

use serde_json::{Value, json};

use super::Embedder;
use super::tests::safetensors;

const VOCABULARY: [&str; 35] = [
    "[UNK]",
    "the",
    "cat",
    "##s",
    "##alog",
    "un",
    "##want",
    "##ed",
    "!",
    ",",
    "-",
    "\u{4e2d}",
    "cafe",
    "stra\u{df}e",
    "##\u{df}",
    "stra",
    "##e",
    "\u{3c3}",
    "##\u{3c3}",
    "i",
    "\u{438}",
    "\u{bf}",
    "a",
    "##b",
    "##ab",
    "0",
    "##1",
    "\u{20ac}",
    "[",
    "]",
    "cls",
    "\u{1112}",
    "##\u{1161}",
    "##\u{11ab}",
    "\u{2014}",
];

/// The file of a small vocabulary, whose words have at most ten characters.
fn tokenizer() -> Value {
    let vocab: serde_json::Map<String, Value> =
        VOCABULARY.iter().enumerate().map(|(i, token)| ((*token).to_owned(), json!(i))).collect();
    json!({
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 10, "vocab": vocab,
        },
    })
}

fn load(tokenizer: &Value) -> crate::base::Result<Embedder> {
    let rows: Vec<[i8; 2]> = (0..VOCABULARY.len() as i8).map(|i| [i, 1]).collect();
    let table = safetensors("I8", [rows.len(), 2], bytemuck::cast_slice(&rows));
    Embedder::load("pieces", &table, tokenizer.to_string().as_bytes())
}

#[test]
fn words_are_cut_as_the_reference_cuts_them() {
    let embedder = load(&tokenizer()).expect("sound");
    let goldens: [(&str, &[u32]); 26] = [
        ("cat\u{378}", &[0]),
        ("", &[]),
        (" ", &[]),
        ("The cats", &[1, 2, 3]),
        ("UNWANTED", &[5, 6, 7]),
        ("cat,cat!!", &[2, 9, 2, 8, 8]),
        ("x", &[0]),
        ("the x cat", &[1, 0, 2]),
        ("catx", &[0]),
        ("cat\u{4e2d}\u{4e2d}cat", &[2, 11, 11, 2]),
        ("Caf\u{e9} cafe\u{301}", &[12, 12]),
        ("Stra\u{df}e", &[13]),
        ("\u{130}", &[19]),
        ("\u{419}", &[20]),
        ("\u{3a3}\u{3a3}", &[17, 18]),
        ("\u{bf}cat\u{2014}", &[21, 2, 34]),
        ("a\u{200d}b", &[22, 23]),
        ("a\u{a0}cat\u{3000}a", &[22, 2, 22]),
        ("a\tb\r\na", &[22, 0, 22]),
        ("abababababa", &[0]),
        ("aabab", &[22, 24, 24]),
        ("\u{20ac}0", &[0]),
        ("[CLS] cat", &[28, 30, 29, 2]),
        ("\u{d55c}", &[31, 32, 33]),
        ("a\u{0}b\u{fffd}ab\u{e000}", &[22, 23, 24]),
        ("cat-alog cats", &[2, 10, 0, 2, 3]),
    ];
    for (text, tokens) in goldens {
        assert_eq!(embedder.tokens(text), tokens, "{text:?}");
    }
}

#[test]
fn a_vector_is_of_the_words_that_are_known() {
    let embedder = load(&tokenizer()).expect("sound");
    let norm = (2f32 * 2.0 + 1.0).sqrt();
    assert_eq!(embedder.embed("cat"), Some(vec![2.0 / norm, 1.0 / norm]));
    assert_eq!(embedder.embed("xxx cat zzz"), embedder.embed("cat"));
    assert_eq!(embedder.embed("xxx"), None);
    assert_eq!(embedder.embed(&"cat".repeat(1 << 19)), None, "a word that is too long");
}

#[test]
fn normalizers_do_what_their_file_says() {
    let tokens = |name: &str, value: Value, text: &str| {
        let mut file = tokenizer();
        file["normalizer"][name] = value;
        load(&file).expect("sound").tokens(text)
    };
    assert_eq!(tokens("lowercase", json!(false), "Cat cat"), [0, 2]);
    assert_eq!(tokens("strip_accents", json!(false), "caf\u{e9}"), [0]);
    assert_eq!(tokens("handle_chinese_chars", json!(false), "\u{4e2d}\u{4e2d}"), [0]);
    assert_eq!(tokens("clean_text", json!(false), "a\u{200d}b"), [0]);
}

#[test]
fn word_pieces_that_would_be_cut_differently_are_refused() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 9] = [
        ("added", |t| t["added_tokens"] = json!([{"content": "cat", "special": false}])),
        ("pre_tokenizer", |t| t["pre_tokenizer"] = json!({"type": "Whitespace"})),
        ("no pre_tokenizer", |t| t["pre_tokenizer"] = json!(null)),
        ("normalizer", |t| t["normalizer"] = json!({"type": "Lowercase"})),
        ("flag", |t| t["normalizer"]["lowercase"] = json!("yes")),
        ("unknown", |t| t["model"]["unk_token"] = json!("?")),
        ("prefix", |t| t["model"]["continuing_subword_prefix"] = json!("")),
        ("length", |t| t["model"]["max_input_chars_per_word"] = json!(-1)),
        ("too long", |t| t["model"]["max_input_chars_per_word"] = json!(1_000_000)),
    ];
    for (name, change) in changes {
        let mut file = tokenizer();
        change(&mut file);
        assert_eq!(load(&file).expect_err(name).code(), "invalid_file", "{name}");
    }
}
