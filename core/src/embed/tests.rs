//! The embedder on a small table of its own and, where it was fetched, on the real one.

use super::*;
use half::f16;
use serde_json::json;

/// A file of one tensor.
pub(super) fn safetensors(dtype: &str, shape: [usize; 2], data: &[u8]) -> Vec<u8> {
    let header = json!({"t": {"dtype": dtype, "shape": shape, "data_offsets": [0, data.len()]}}).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// Six tokens: unknown, space, a, b, ab, space-ab.
fn tokenizer() -> serde_json::Value {
    json!({
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "\u{2581}"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"},
        ]},
        "pre_tokenizer": null,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": false,
            "vocab": {"<unk>": 0, "\u{2581}": 1, "a": 2, "b": 3, "ab": 4, "\u{2581}ab": 5},
            "merges": ["a b", ["\u{2581}", "ab"]],
        },
    })
}

/// Row `t` of the small table is `[t, 1]`, but zero for the space.
fn small() -> Embedder {
    let rows = [[0f32, 1.0], [0.0, 0.0], [2.0, 1.0], [3.0, 1.0], [4.0, 1.0], [5.0, 1.0]];
    let table = safetensors("F32", [6, 2], bytemuck::cast_slice(&rows));
    Embedder::load("small", &table, tokenizer().to_string().as_bytes()).expect("sound")
}

#[test]
fn merges_apply_by_rank_and_unknown_runs_are_one_token() {
    let embedder = small();
    for (text, tokens) in [
        ("", vec![]),
        ("ab", vec![5]),
        ("AB ab", vec![5, 5]),
        ("aab", vec![1, 2, 4]),
        ("ba", vec![1, 3, 2]),
        ("xyz", vec![1, 0]),
        ("xaxx", vec![1, 0, 2, 0]),
    ] {
        assert_eq!(embedder.tokens(text), tokens, "{text:?}");
    }
}

#[test]
fn a_text_is_the_mean_of_its_known_tokens_at_length_one() {
    let embedder = small();
    let unit = |x: f32, y: f32| {
        let norm = (x * x + y * y).sqrt();
        Some(vec![x / norm, y / norm])
    };
    assert_eq!((embedder.dim(), embedder.name()), (2, "small"));
    assert_eq!(embedder.embed("ab"), unit(5.0, 1.0));
    assert_eq!(embedder.embed("ba"), unit(5.0 / 3.0, 2.0 / 3.0));
    assert_eq!(embedder.embed("ab x"), embedder.embed("ab"), "a blank adds zeros, the unknown nothing");
    for nothing in ["", "  ", "\n", "xyz"] {
        assert_eq!(embedder.embed(nothing), None, "{nothing:?}");
    }
}

#[test]
fn half_precision_tables_give_the_vectors_of_their_numbers() {
    let numbers: Vec<u8> = (0..12).flat_map(|i| f16::from_f32(i as f32 / 4.0).to_le_bytes()).collect();
    let table = safetensors("F16", [6, 2], &numbers);
    let embedder = Embedder::load("h", &table, tokenizer().to_string().as_bytes()).expect("sound");
    let norm = (2.5f32 * 2.5 + 2.75 * 2.75).sqrt();
    assert_eq!(embedder.embed("ab"), Some(vec![2.5 / norm, 2.75 / norm]));
    assert_ne!(embedder.hash(), small().hash());
    assert_eq!(small().hash(), small().hash());
}

#[test]
fn tables_of_bytes_give_the_directions_of_their_numbers() {
    let numbers: [i8; 12] = [0, 1, 0, 0, 2, -1, 3, -1, 4, -1, -128, 127];
    let table = safetensors("I8", [6, 2], bytemuck::cast_slice(&numbers));
    let embedder = Embedder::load("b", &table, tokenizer().to_string().as_bytes()).expect("sound");
    let norm = (128f32 * 128.0 + 127.0 * 127.0).sqrt();
    assert_eq!(embedder.embed("ab"), Some(vec![-128.0 / norm, 127.0 / norm]));
}

#[test]
fn long_texts_take_time_in_proportion_and_end_at_the_limit() {
    let text = "ab".repeat(1 << 20);
    assert_eq!(small().tokens(&text).len(), 1 << 19);
    let text = "\u{e9}".repeat(1 << 20);
    assert_eq!(small().tokens(&text), [1, 0]);
}

#[test]
fn tokenizers_that_would_cut_differently_are_refused() {
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 9] = [
        ("model", |t| t["model"]["type"] = json!("Unigram")),
        ("pre_tokenizer", |t| t["pre_tokenizer"] = json!({"type": "ByteLevel"})),
        ("normalizer", |t| t["normalizer"] = json!({"type": "NFKC"})),
        ("suffix", |t| t["model"]["end_of_word_suffix"] = json!("</w>")),
        ("dropout", |t| t["model"]["dropout"] = json!(0.1)),
        ("unknown", |t| t["model"]["fuse_unk"] = json!(false)),
        ("vocab", |t| t["model"]["vocab"]["a"] = json!(-1)),
        ("merge", |t| t["model"]["merges"][0] = json!("a c")),
        ("merges", |t| t["model"]["merges"] = json!(null)),
    ];
    let table = safetensors("F32", [1, 1], &[0; 4]);
    for (name, change) in changes {
        let mut file = tokenizer();
        change(&mut file);
        let refused = Embedder::load("t", &table, file.to_string().as_bytes());
        assert_eq!(refused.expect_err(name).code(), "invalid_file", "{name}");
    }
    assert!(Embedder::load("t", &table, b"[").is_err());
}

#[test]
fn tables_that_are_not_whole_are_refused() {
    let sound = safetensors("F32", [2, 2], &[0; 16]);
    let tokenizer = tokenizer().to_string();
    let load = |bytes: &[u8]| Embedder::load("t", bytes, tokenizer.as_bytes());
    load(&sound).expect("sound");
    for len in 0..sound.len() {
        assert_eq!(load(&sound[..len]).expect_err("cut").code(), "invalid_file", "cut at {len}");
    }
    let huge = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
    for bad in [
        huge,
        safetensors("F64", [2, 1], &[0; 16]),
        safetensors("F32", [2, 3], &[0; 16]),
        safetensors("I8", [2, 2], &[0; 5]),
        safetensors("F32", [usize::MAX, 2], &[0; 16]),
        safetensors("F32", [1 << 20, 1 << 16], &[0; 16]),
        safetensors("F32", [4, 0], &[]),
        safetensors("F32", [2, 2], bytemuck::cast_slice(&[0.0, 1.0, f32::NAN, 0.0])),
        safetensors("F16", [1, 1], &f16::INFINITY.to_le_bytes()),
    ] {
        assert_eq!(load(&bad).expect_err("bad").code(), "invalid_file");
    }
}

/// What the `tokenizers` library and numpy make of a text in lower case, with the `wordllama-256` table.
struct Golden {
    text: &'static str,
    tokens: &'static [u32],
    /// The first components.
    first: [f32; 3],
    /// The sum of each component `k` times `37 k mod 101 - 50`.
    mixed: f64,
}

/// The real table, when it was fetched: its licence lets nobody ship it.
fn fetched() -> Option<Embedder> {
    let given = std::env::var_os("KITH_EMBEDDER").map(std::path::PathBuf::from);
    let cached = || {
        Some(std::path::PathBuf::from(std::env::var_os("HOME")?).join(".cache/kithdb/embedder/wordllama-256"))
    };
    let folder = given.or_else(cached)?;
    let model = std::fs::read(folder.join("model.safetensors")).ok()?;
    let tokenizer = std::fs::read(folder.join("tokenizer.json")).ok()?;
    Some(Embedder::load("wordllama-256", &model, &tokenizer).expect("the fetched files are sound"))
}

#[test]
fn the_real_table_gives_the_tokens_and_vectors_of_the_reference() {
    let Some(embedder) = fetched() else {
        eprintln!("skipped: no embedder in KITH_EMBEDDER or the cache");
        return;
    };
    assert_eq!(embedder.dim(), 256);
    for golden in GOLDENS {
        let Golden { text, tokens, first, mixed } = golden;
        assert_eq!(embedder.tokens(text), *tokens, "{text:?}");
        let vector = embedder.embed(text).expect("known tokens");
        let near = first.iter().zip(&vector).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near, "{text:?}: {:?}", &vector[..3]);
        let weight = |k: usize| (k * 37 % 101) as f64 - 50.0;
        let sum: f64 = vector.iter().enumerate().map(|(k, &x)| f64::from(x) * weight(k)).sum();
        assert!((sum - mixed).abs() < 1e-3, "{text:?}: {sum}");
    }
    assert_eq!(embedder.embed(""), None);
    assert_eq!(embedder.tokens("  "), [1678]);
}

const GOLDENS: &[Golden] = &[
    Golden { text: "a", tokens: &[263], first: [0.0090874, 0.0115483, -0.0502664], mixed: 44.2471 },
    Golden {
        text: "Hello, World!",
        tokens: &[22172, 29892, 3186, 29991],
        first: [0.1072059, 0.0696221, 0.0225261],
        mixed: 21.0844,
    },
    Golden {
        text: "The quick brown fox jumps over the lazy dog.",
        tokens: &[278, 4996, 17354, 1701, 29916, 432, 17204, 975, 278, 17366, 11203, 29889],
        first: [0.0311992, -0.0210901, 0.0041801],
        mixed: -13.7950,
    },
    Golden {
        text: " leading and  double   spaces ",
        tokens: &[29871, 8236, 322, 29871, 3765, 259, 8162, 29871],
        first: [0.0183849, -0.0663100, 0.0728023],
        mixed: 62.9090,
    },
    Golden {
        text: "na\u{ef}ve caf\u{e9} \u{fc}ber Stra\u{df}e",
        tokens: &[1055, 30085, 345, 274, 28059, 2939, 5312, 5831],
        first: [-0.1378359, 0.0329656, 0.0026413],
        mixed: -4.3110,
    },
    Golden {
        text: "\u{130}stanbul \u{39f}\u{394}\u{3a5}\u{3a3}\u{3a3}\u{395}\u{3a5}\u{3a3}",
        tokens: &[474, 207, 138, 14411, 8645, 29871, 30123, 30201, 30192, 30164, 30164, 30151, 30192, 30145],
        first: [-0.1352933, -0.1042498, 0.0207018],
        mixed: -25.8038,
    },
    Golden {
        text: "\u{6771}\u{4eac}\u{306f}\u{65e5}\u{672c}\u{306e}\u{9996}\u{90fd}",
        tokens: &[29871, 30591, 30675, 30449, 30325, 30346, 30199, 31688, 30769],
        first: [-0.1017161, 0.0632988, 0.0231881],
        mixed: 34.6824,
    },
    Golden {
        text: "\u{41c}\u{43e}\u{441}\u{43a}\u{432}\u{430} \u{438} \u{41a}\u{438}\u{435}\u{432}",
        tokens: &[2569, 6231, 846, 606, 8094, 4020],
        first: [-0.1011182, 0.0540688, 0.0863445],
        mixed: 21.5264,
    },
    Golden {
        text: "emoji \u{1f600}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} mix",
        tokens: &[
            953, 29877, 2397, 29871, 243, 162, 155, 131, 243, 162, 148, 171, 30722, 243, 162, 148, 172,
            30722, 243, 162, 148, 170, 6837,
        ],
        first: [-0.0031403, 0.0028885, -0.0166008],
        mixed: -3.1701,
    },
    Golden {
        text: "line\u{a}break\u{9}tab\u{d}\u{a}",
        tokens: &[1196, 13, 8690, 12, 3891, 30004, 13],
        first: [-0.0414028, -0.0451171, -0.0318246],
        mixed: 16.9087,
    },
    Golden {
        text: "x\u{0}y \u{12000} \u{d7ff}\u{2581}z",
        tokens: &[921, 3, 29891, 29871, 243, 149, 131, 131, 29871, 240, 162, 194, 503],
        first: [0.1363463, 0.0164974, 0.0042565],
        mixed: 14.1316,
    },
    Golden {
        text: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        tokens: &[263, 27137, 27137, 27137, 27137, 27137, 27137, 27137, 27137, 27137, 7340],
        first: [0.0799476, 0.0272356, -0.0491352],
        mixed: -28.9074,
    },
    Golden {
        text: "3.14159 + 2,718 = 5.85959; https://example.org/a?b=c&d=%20",
        tokens: &[
            29871, 29941, 29889, 29896, 29946, 29896, 29945, 29929, 718, 29871, 29906, 29892, 29955, 29896,
            29947, 353, 29871, 29945, 29889, 29947, 29945, 29929, 29945, 29929, 29936, 2045, 597, 4773,
            29889, 990, 29914, 29874, 29973, 29890, 29922, 29883, 29987, 29881, 16328, 29906, 29900,
        ],
        first: [0.0419046, 0.0605963, -0.1538981],
        mixed: -21.9639,
    },
    Golden {
        text: "internationalization antidisestablishmentarianism",
        tokens: &[6121, 2133, 3677, 333, 275, 342, 370, 1674, 358, 13956, 1608],
        first: [0.0565169, -0.0741786, 0.0363366],
        mixed: 2.0497,
    },
];
