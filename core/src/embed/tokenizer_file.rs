//! Reads a tokeniser from the JSON of the `tokenizers` library, and refuses what it would tokenise differently.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::base::number_map::NumberMap;

use super::bpe::{Bpe, Merge, Normalize};
use super::tokenizer::Tokenizer;
use super::word_piece::{Cleaning, WordPiece};
use crate::base::ids::shorten;
use crate::base::limits::{EMBEDDER_FILE_BYTES_MAX, EMBEDDER_VOCABULARY_MAX};
use crate::base::{InputError, Result};

/// Longest word that a file may ask to be cut, which is the usual limit: cutting takes up to the third power of it.
const WORD_CHARS_MAX: usize = 100;

fn refuse<T>(got: impl Into<String>, expected: impl Into<String>) -> Result<T> {
    let (got, expected) = (got.into(), expected.into());
    Err(InputError::File { what: "tokenizer", got: shorten(&got), expected }.into())
}

/// The tokeniser of a `tokenizer.json`.
///
/// # Errors
/// `invalid_file` when it is not one, or asks for something that is not done here.
pub(super) fn read(bytes: &[u8]) -> Result<Tokenizer> {
    if bytes.len() > EMBEDDER_FILE_BYTES_MAX {
        return refuse(format!("{} bytes", bytes.len()), format!("at most {EMBEDDER_FILE_BYTES_MAX} bytes"));
    }
    let file: Json = match serde_json::from_slice(bytes) {
        Ok(file) => file,
        Err(e) => return refuse(e.to_string(), "JSON"),
    };
    let vocabulary = || read_vocabulary(&file["model"]["vocab"]);
    match file["model"]["type"].as_str() {
        Some("BPE") => read_bpe(&file, &vocabulary()?).map(Tokenizer::Bpe),
        Some("WordPiece") => read_word_piece(&file, &vocabulary()?).map(Tokenizer::WordPiece),
        _ => refuse(format!("model {}", file["model"]["type"]), "model \"BPE\" or \"WordPiece\""),
    }
}

fn read_bpe(file: &Json, vocabulary: &HashMap<&str, u32>) -> Result<Bpe> {
    if !file["pre_tokenizer"].is_null() {
        return refuse(file["pre_tokenizer"]["type"].to_string(), "no pre_tokenizer");
    }
    let mut steps = Vec::new();
    read_steps(&file["normalizer"], &mut steps, 0)?;
    let model = &file["model"];
    check_bpe(model)?;
    let one_char = |(text, &token): (&&str, &u32)| {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none()).map(|c| (c, token))
    };
    let bytes = (model["byte_fallback"] == true).then(|| byte_tokens(vocabulary)).flatten();
    let unknown = model["unk_token"].as_str().and_then(|unknown| vocabulary.get(unknown)).copied();
    let chars = vocabulary.iter().filter_map(one_char).collect();
    Ok(Bpe { steps, chars, bytes, unknown, merges: read_merges(&model["merges"], vocabulary)? })
}

fn read_word_piece(file: &Json, vocabulary: &HashMap<&str, u32>) -> Result<WordPiece> {
    if file["pre_tokenizer"]["type"] != "BertPreTokenizer" {
        return refuse(file["pre_tokenizer"]["type"].to_string(), "pre_tokenizer \"BertPreTokenizer\"");
    }
    // Text is cut at those that are not special before anything else is done to it.
    let added = file["added_tokens"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(token) = added.iter().find(|token| token["special"] != true) {
        return refuse(format!("added token {}", token["content"]), "no added_tokens but special ones");
    }
    let cleaning = read_cleaning(&file["normalizer"])?;
    let model = &file["model"];
    let Some(&unknown) = model["unk_token"].as_str().and_then(|unknown| vocabulary.get(unknown)) else {
        return refuse(format!("unk_token {}", model["unk_token"]), "an unk_token of the vocab");
    };
    let prefix = match model["continuing_subword_prefix"].as_str() {
        None | Some("") => return refuse("no continuing_subword_prefix", "one such as ##"),
        Some(prefix) => prefix,
    };
    let word_chars_max = match &model["max_input_chars_per_word"] {
        Json::Null => Some(100),
        given => given.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= WORD_CHARS_MAX),
    };
    let Some(word_chars_max) = word_chars_max else {
        let got = format!("max_input_chars_per_word {}", model["max_input_chars_per_word"]);
        return refuse(got, format!("at most {WORD_CHARS_MAX}"));
    };
    let beginnings = vocabulary.iter().map(|(&text, &token)| (text.into(), token));
    let continuing = |(text, &token): (&&str, &u32)| Some((text.strip_prefix(prefix)?.into(), token));
    let continuations = vocabulary.iter().filter_map(continuing);
    Ok(WordPiece {
        cleaning,
        token_chars_max: vocabulary.keys().map(|text| text.chars().count()).max().unwrap_or(0),
        beginnings: beginnings.collect(),
        continuations: continuations.collect(),
        word_chars_max,
        unknown,
    })
}

fn read_cleaning(normalizer: &Json) -> Result<Cleaning> {
    if normalizer["type"] != "BertNormalizer" {
        return refuse(format!("normalizer {}", normalizer["type"]), "normalizer \"BertNormalizer\"");
    }
    // As the library takes them where the file says nothing.
    let flag = |name: &str, otherwise: bool| match &normalizer[name] {
        Json::Null => Ok(otherwise),
        Json::Bool(given) => Ok(*given),
        given => refuse(format!("{name} {given}"), "true or false"),
    };
    let lowercase = flag("lowercase", true)?;
    Ok(Cleaning {
        controls: flag("clean_text", true)?,
        chinese: flag("handle_chinese_chars", true)?,
        accents: flag("strip_accents", lowercase)?,
        lowercase,
    })
}

fn check_bpe(model: &Json) -> Result<()> {
    for name in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
        if !(model[name].is_null() || model[name] == "") {
            return refuse(format!("{name} {}", model[name]), format!("no {name}"));
        }
    }
    if model["ignore_merges"] == true {
        return refuse("ignore_merges", "a model that merges");
    }
    // Only a vocabulary without bytes meets the unknown, and then a run of it is one token.
    if model["byte_fallback"] != true && model["fuse_unk"] != true {
        return refuse("neither byte_fallback nor fuse_unk", "one of them");
    }
    Ok(())
}

fn read_steps(step: &Json, steps: &mut Vec<Normalize>, depth: usize) -> Result<()> {
    if step.is_null() {
        return Ok(());
    }
    let text = |json: &Json| json.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match step["type"].as_str() {
        Some("Sequence") if depth == 0 => {
            let inner = step["normalizers"].as_array().map(Vec::as_slice).unwrap_or_default();
            return inner.iter().try_for_each(|step| read_steps(step, steps, depth + 1));
        }
        Some("Prepend") => {
            if let Some(prefix) = text(&step["prepend"]) {
                steps.push(Normalize::Prepend(prefix));
                return Ok(());
            }
        }
        Some("Replace") => {
            if let (Some(from), Some(to)) = (text(&step["pattern"]["String"]), step["content"].as_str()) {
                steps.push(Normalize::Replace(from, to.to_owned()));
                return Ok(());
            }
        }
        _ => (),
    }
    refuse(step.to_string(), "a normalizer that prepends or replaces text")
}

fn read_vocabulary(vocab: &Json) -> Result<HashMap<&str, u32>> {
    let Some(entries) = vocab.as_object() else {
        return refuse("no vocab", "a vocab of tokens and their numbers");
    };
    if entries.len() > EMBEDDER_VOCABULARY_MAX {
        return refuse(format!("{} tokens", entries.len()), format!("at most {EMBEDDER_VOCABULARY_MAX}"));
    }
    let mut vocabulary = HashMap::with_capacity(entries.len());
    for (text, number) in entries {
        match number.as_u64() {
            Some(n) if (n as usize) < EMBEDDER_VOCABULARY_MAX => vocabulary.insert(text.as_str(), n as u32),
            _ => return refuse(format!("{text}: {number}"), "tokens with numbers"),
        };
    }
    Ok(vocabulary)
}

fn byte_tokens(vocabulary: &HashMap<&str, u32>) -> Option<Box<[u32; 256]>> {
    let token = |byte| vocabulary.get(format!("<0x{byte:02X}>").as_str()).copied();
    let tokens: Option<Vec<u32>> = (0..=255u8).map(token).collect();
    Box::<[u32; 256]>::try_from(tokens?.into_boxed_slice()).ok()
}

fn read_merges(merges: &Json, vocabulary: &HashMap<&str, u32>) -> Result<NumberMap<(u32, u32), Merge>> {
    let Some(entries) = merges.as_array() else {
        return refuse("no merges", "a list of merges");
    };
    let mut map = NumberMap::default();
    for (rank, entry) in entries.iter().enumerate() {
        let pair = match entry {
            Json::String(text) => text.split_once(' '),
            Json::Array(pair) if pair.len() == 2 => pair[0].as_str().zip(pair[1].as_str()),
            _ => None,
        };
        let tokens = pair.and_then(|(left, right)| {
            let whole = format!("{left}{right}");
            Some((*vocabulary.get(left)?, *vocabulary.get(right)?, *vocabulary.get(whole.as_str())?))
        });
        let Some((left, right, token)) = tokens else {
            return refuse(format!("merge {entry}"), "two tokens of the vocab that together are one");
        };
        // A pair that is listed twice has its last rank, as in the library.
        map.insert((left, right), Merge { rank: rank as u32, token });
    }
    Ok(map)
}
