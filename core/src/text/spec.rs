//! Which strings of a document are its text, and how they are turned into terms.

use std::borrow::Cow;

use crate::base::ids::shorten;
use crate::base::limits::FIELD_LANGUAGES_MAX;
use crate::base::{DecodeError, Error, Object, Reader, Result, SortedMap, Value, Writer};

use super::{Language, Scoring};

/// Which strings of the metadata are searched as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TextFields {
    /// Every string at the top level.
    #[default]
    TopLevel,
    /// Every string, those in objects named by their path `a.b`; strings in lists are not text.
    All,
    /// These, by path.
    Named(Vec<String>),
}

/// The text of a collection's documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSpec {
    /// How texts are analysed.
    pub language: Language,
    /// Which strings they are.
    pub fields: TextFields,
    /// Fields that are analysed in another language, by path.
    pub languages: SortedMap<String, Language>,
    /// How well they match.
    pub scoring: Scoring,
}

/// Added to the number of the choice of fields when some have a language of their own.
const WITH_LANGUAGES: u8 = 4;
/// Added to it when scoring is not the default.
const WITH_SCORING: u8 = 8;

impl TextSpec {
    /// These strings, all in one language, scored as by default.
    #[must_use]
    pub fn new(language: Language, fields: TextFields) -> Self {
        Self { language, fields, languages: SortedMap::new(), scoring: Scoring::default() }
    }

    /// Refuses languages and weights of fields that are no text, too many, and numbers that make no score.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn check(&self) -> Result<()> {
        if self.languages.len() > FIELD_LANGUAGES_MAX {
            let expected = format!("at most {FIELD_LANGUAGES_MAX} fields");
            return Err(Error::parameter("languages", self.languages.len(), expected));
        }
        if let TextFields::Named(names) = &self.fields {
            let is_stray = |path: &&String| !names.contains(path);
            let strays = [
                ("languages", self.languages.keys().find(is_stray)),
                ("weights", self.scoring.weights.keys().find(is_stray)),
            ];
            if let Some((name, path)) = strays.iter().find_map(|(name, path)| path.map(|path| (*name, path)))
            {
                return Err(Error::parameter(name, shorten(path), "paths that are among fields"));
            }
        }
        self.scoring.check()
    }

    /// The texts of a document by field, sorted by field.
    #[must_use]
    pub fn texts<'a>(&self, metadata: &'a Object) -> Vec<(Cow<'a, str>, &'a str)> {
        let mut texts = Vec::new();
        collect(metadata, None, self.fields != TextFields::TopLevel, &mut texts);
        if let TextFields::Named(names) = &self.fields {
            texts.retain(|(name, _)| names.iter().any(|n| n == name));
        }
        // A top-level field "a.b" and a field b within a share their name; both are its text.
        texts.sort_by(|a, b| a.0.cmp(&b.0));
        texts
    }

    /// Appends its bytes.
    pub fn encode(&self, w: &mut Writer) {
        w.u8(self.language.tag());
        let with_languages = if self.languages.is_empty() { 0 } else { WITH_LANGUAGES };
        let with_scoring = if self.scoring == Scoring::default() { 0 } else { WITH_SCORING };
        let more = with_languages + with_scoring;
        match &self.fields {
            TextFields::TopLevel => w.u8(more),
            TextFields::All => w.u8(1 + more),
            TextFields::Named(names) => {
                w.u8(2 + more);
                w.varint(names.len() as u64);
                names.iter().for_each(|name| w.str(name));
            }
        }
        if with_languages > 0 {
            w.varint(self.languages.len() as u64);
            for (path, language) in &self.languages {
                w.str(path);
                w.u8(language.tag());
            }
        }
        if with_scoring > 0 {
            self.scoring.encode(w);
        }
    }

    /// Reads what [`TextSpec::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not those of a spec.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = r.offset();
        let language = decode_language(r)?;
        let choice = r.u8()?;
        let fields = match choice & !(WITH_LANGUAGES | WITH_SCORING) {
            0 => TextFields::TopLevel,
            1 => TextFields::All,
            2 => {
                let n = r.count(1)?;
                TextFields::Named((0..n).map(|_| r.str().map(str::to_owned)).collect::<Result<_, _>>()?)
            }
            _ => return Err(DecodeError { offset, expected: "a choice of text fields" }),
        };
        let languages = if choice & WITH_LANGUAGES == 0 { SortedMap::new() } else { decode_languages(r)? };
        let scoring = if choice & WITH_SCORING == 0 { Scoring::default() } else { Scoring::decode(r)? };
        Ok(Self { language, fields, languages, scoring })
    }
}

fn decode_language(r: &mut Reader<'_>) -> Result<Language, DecodeError> {
    let offset = r.offset();
    Language::from_tag(r.u8()?).ok_or(DecodeError { offset, expected: "a language" })
}

/// At least one, by ascending path: there is one way to write them.
fn decode_languages(r: &mut Reader<'_>) -> Result<SortedMap<String, Language>, DecodeError> {
    let offset = r.offset();
    let mut languages = SortedMap::<String, Language>::new();
    for _ in 0..r.count(2)? {
        let path = r.str()?.to_owned();
        if languages.last().is_some_and(|(last, _)| *last >= path) {
            return Err(DecodeError { offset, expected: "paths in ascending order" });
        }
        languages.insert(path, decode_language(r)?);
    }
    if languages.is_empty() {
        return Err(DecodeError { offset, expected: "a field with a language of its own" });
    }
    Ok(languages)
}

#[cfg_attr(kithdb_small, optimize(speed))]
fn collect<'a>(
    fields: &'a Object,
    above: Option<&str>,
    nested: bool,
    texts: &mut Vec<(Cow<'a, str>, &'a str)>,
) {
    for (name, value) in fields {
        let path = || above.map_or(Cow::Borrowed(name.as_str()), |a| Cow::Owned(format!("{a}.{name}")));
        match value {
            Value::Str(text) => texts.push((path(), text)),
            Value::Object(inner) if nested => collect(inner, Some(&path()), nested, texts),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::parse_object;

    #[test]
    fn fields_are_chosen_by_name_level_or_not_at_all() {
        let doc = parse_object(r#"{"t":"x","n":1,"o":{"t":"y","l":["z"]},"o.t":"w"}"#).expect("canonical");
        let names = |fields| {
            let spec = TextSpec::new(Language::None, fields);
            spec.texts(&doc).into_iter().map(|(n, t)| format!("{n}={t}")).collect::<Vec<_>>()
        };
        assert_eq!(names(TextFields::TopLevel), ["o.t=w", "t=x"]);
        assert_eq!(names(TextFields::All), ["o.t=y", "o.t=w", "t=x"]);
        assert_eq!(names(TextFields::Named(vec!["o.t".into()])), ["o.t=y", "o.t=w"]);
    }

    fn bytes(spec: &TextSpec) -> Vec<u8> {
        let mut w = Writer::new();
        spec.encode(&mut w);
        w.as_slice().to_vec()
    }

    #[test]
    fn specs_come_back_from_bytes_and_without_languages_have_none_in_them() {
        let named = TextFields::Named(vec!["a".into(), "b".into()]);
        for fields in [TextFields::TopLevel, TextFields::All, named] {
            let mut spec = TextSpec::new(Language::Italian, fields);
            let plain = bytes(&spec);
            spec.languages = [("a".to_owned(), Language::German), ("b".to_owned(), Language::None)].into();
            let more = bytes(&spec);
            assert_eq!(plain[1] + 4, more[1]);
            assert_eq!(plain[2..], more[2..plain.len()]);
            assert_eq!(more[plain.len()..], [2, 1, b'a', 3, 1, b'b', 0]);
            let mut r = Reader::new(&more);
            assert_eq!(TextSpec::decode(&mut r).expect("written above"), spec);
            assert!(r.end().is_ok() && spec.check().is_ok());
            for len in 0..more.len() {
                assert!(TextSpec::decode(&mut Reader::new(&more[..len])).is_err());
            }
        }
        for bytes in
            [&[1, 4, 0][..], &[1, 4, 2, 1, b'b', 3, 1, b'a', 3], &[1, 4, 1, 1, b'a', 77], &[1, 3], &[1, 16]]
        {
            assert!(TextSpec::decode(&mut Reader::new(bytes)).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn scoring_comes_back_from_bytes_and_the_default_is_not_in_them() {
        let mut spec = TextSpec::new(Language::English, TextFields::All);
        let plain = bytes(&spec);
        spec.scoring =
            Scoring { k1: 0.9, b: 0.4, weights: [("b".to_owned(), 3.5), ("a".to_owned(), 1.0)].into() };
        for languages in [SortedMap::new(), [("a".to_owned(), Language::German)].into()] {
            spec.languages = languages;
            let more = bytes(&spec);
            assert_eq!(plain[1] + if spec.languages.is_empty() { 8 } else { 12 }, more[1]);
            let mut r = Reader::new(&more);
            assert_eq!(TextSpec::decode(&mut r).expect("written above"), spec);
            assert!(r.end().is_ok() && spec.check().is_ok());
            for len in 0..more.len() {
                assert!(TextSpec::decode(&mut Reader::new(&more[..len])).is_err());
            }
        }
        for scoring in [
            Scoring::default(),
            Scoring { k1: f64::NAN, ..Scoring::default() },
            Scoring { b: -0.5, ..Scoring::default() },
            Scoring { weights: [("a".to_owned(), 0.0)].into(), ..Scoring::default() },
        ] {
            let mut w = Writer::new();
            w.u8(1);
            w.u8(8);
            scoring.encode(&mut w);
            assert!(TextSpec::decode(&mut Reader::new(w.as_slice())).is_err(), "{scoring:?}");
        }
        let mut w = Writer::new();
        spec.scoring.encode(&mut w);
        // The first path is made to come behind the second.
        let mut descending = [&[1, 8][..], w.as_slice()].concat();
        descending[20] = b'c';
        assert!(TextSpec::decode(&mut Reader::new(&descending)).is_err());
    }

    #[test]
    fn weights_of_what_is_no_text_are_refused() {
        let mut spec = TextSpec::new(Language::English, TextFields::Named(vec!["a".into()]));
        spec.scoring.weights.insert("a".into(), 2.0);
        assert!(spec.check().is_ok());
        spec.scoring.weights.insert("b".into(), 2.0);
        assert!(spec.check().is_err());
        spec.fields = TextFields::TopLevel;
        assert!(spec.check().is_ok());
        spec.scoring.k1 = -1.0;
        assert!(spec.check().is_err());
    }

    #[test]
    fn languages_of_what_is_no_text_are_refused() {
        let mut spec = TextSpec::new(Language::English, TextFields::Named(vec!["a".into()]));
        spec.languages.insert("b".into(), Language::German);
        assert!(spec.check().is_err());
        spec.fields = TextFields::All;
        assert!(spec.check().is_ok());
        spec.languages.extend((0..FIELD_LANGUAGES_MAX).map(|i| (format!("f{i}"), Language::German)));
        assert!(spec.check().is_err());
    }
}
