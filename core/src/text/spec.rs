//! Which strings of a document are its text, and how they are turned into terms.

use std::borrow::Cow;

use crate::base::{DecodeError, Object, Reader, Value, Writer};

use super::Language;

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
}

impl TextSpec {
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
        match &self.fields {
            TextFields::TopLevel => w.u8(0),
            TextFields::All => w.u8(1),
            TextFields::Named(names) => {
                w.u8(2);
                w.varint(names.len() as u64);
                names.iter().for_each(|name| w.str(name));
            }
        }
    }

    /// Reads what [`TextSpec::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not those of a spec.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = r.offset();
        let language = Language::from_tag(r.u8()?).ok_or(DecodeError { offset, expected: "a language" })?;
        let fields = match r.u8()? {
            0 => TextFields::TopLevel,
            1 => TextFields::All,
            2 => {
                let n = r.count(1)?;
                TextFields::Named((0..n).map(|_| r.str().map(str::to_owned)).collect::<Result<_, _>>()?)
            }
            _ => return Err(DecodeError { offset, expected: "a choice of text fields" }),
        };
        Ok(Self { language, fields })
    }
}

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
            let spec = TextSpec { language: Language::None, fields };
            spec.texts(&doc).into_iter().map(|(n, t)| format!("{n}={t}")).collect::<Vec<_>>()
        };
        assert_eq!(names(TextFields::TopLevel), ["o.t=w", "t=x"]);
        assert_eq!(names(TextFields::All), ["o.t=y", "o.t=w", "t=x"]);
        assert_eq!(names(TextFields::Named(vec!["o.t".into()])), ["o.t=y", "o.t=w"]);
    }
}
