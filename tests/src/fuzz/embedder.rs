//! The two files of an embedder, and what it makes of a text.

use kithdb::embed::Embedder;

use super::seed;

const TEXT: &str = "The kittens \u{e9}t\u{e9} \u{1f600} a b";

pub(super) fn run(data: &[u8]) {
    let Some((&[low, high], bytes)) = data.split_first_chunk::<2>() else { return };
    let at = usize::from(u16::from_le_bytes([low, high])).min(bytes.len());
    let (table, tokenizer) = bytes.split_at(at);
    let Ok(embedder) = Embedder::load("e", table, tokenizer) else { return };
    let tokens = embedder.tokens(TEXT);
    assert!(tokens.len() <= 4 * TEXT.len(), "a token takes something of the text");
    if let Some(vector) = embedder.embed(TEXT) {
        assert!(vector.len() == embedder.dim() && vector.iter().all(|x| x.is_finite()), "{vector:?}");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let tokenizer = r#"{"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"_"},{"type":"Replace","pattern":{"String":" "},"content":"_"}]},"pre_tokenizer":null,"model":{"type":"BPE","unk_token":"?","fuse_unk":true,"byte_fallback":false,"vocab":{"?":0,"_":1,"a":2,"b":3,"ab":4,"_a":5,"e":6,"t":7,"te":8},"merges":["a b","_ a",["t","e"]]}}"#;
    let pieces = r###"{"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},"model":{"type":"WordPiece","unk_token":"?","continuing_subword_prefix":"##","vocab":{"?":0,"the":1,"kit":2,"##ten":3,"##s":4,"a":5,"ete":6,"b":7,"-":8}}}"###;
    let table = |kind: &str, width: usize| {
        let bytes = 9 * 2 * width;
        let header = format!(r#"{{"t":{{"dtype":"{kind}","shape":[9,2],"data_offsets":[0,{bytes}]}}}}"#);
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend((0..bytes).map(|i| (i % 60) as u8));
        file
    };
    [(table("F16", 2), tokenizer), (table("F32", 4), tokenizer), (table("I8", 1), pieces)]
        .into_iter()
        .map(|(table, tokenizer)| {
            seed(&(table.len() as u16).to_le_bytes(), &[table, tokenizer.as_bytes().to_vec()].concat())
        })
        .collect()
}
