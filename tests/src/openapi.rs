//! Holds what was asked and answered against the OpenAPI document. In answers a field that the document does not have is
//! a difference, though clients of it would pass it over: otherwise the document could fall behind.
//!
//! Its schemas use a part of JSON Schema, which is checked here; another word in one is refused. A crate for all of it brings
//! thirty more, which takes longer to build than this does to read.

use serde_json::{Map, Value};

/// Longer bodies are not looked at, in bytes: of many documents one is as good as another.
const BYTES_MAX: usize = 1 << 20;

/// Words of a schema that say nothing of a value. What a pattern allows is the core's to refuse.
const WORDS: [&str; 8] =
    ["description", "pattern", "example", "$ref", "type", "properties", "required", "additionalProperties"];
const MORE_WORDS: [&str; 8] =
    ["items", "anyOf", "enum", "minimum", "maximum", "minLength", "maxLength", "maxItems"];

/// The document.
pub struct Document(Value);

/// What was answered.
pub struct Answered<'a> {
    /// How it was asked.
    pub method: &'a str,
    /// Where, without what follows the question mark.
    pub path: &'a str,
    /// The status.
    pub status: u16,
    /// Of the body.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl Document {
    /// Of this text.
    ///
    /// # Panics
    /// When it is no JSON, or a schema says what is not checked here.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let document: Value = serde_json::from_str(text).expect("JSON");
        let mut unknown = vec![];
        schemas(&document, &mut |schema| {
            let words = schema.keys().map(String::as_str);
            unknown
                .extend(words.filter(|w| !WORDS.contains(w) && !MORE_WORDS.contains(w)).map(str::to_owned));
        });
        assert!(unknown.is_empty(), "words of schemas that are not checked: {unknown:?}");
        Self(document)
    }

    /// Path and operation that a request is about; `None` where the document has none.
    #[must_use]
    pub fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let method = method.to_ascii_lowercase();
        let is_served = |known: &str| {
            known.split('/').count() == path.split('/').count()
                && known.split('/').zip(path.split('/')).all(|(of, is)| of.starts_with('{') || of == is)
        };
        let paths = self.0["paths"].as_object()?;
        let served = paths.iter().filter(|(known, item)| is_served(known) && item.get(&method).is_some());
        let (known, item) = served.min_by_key(|(known, _)| known.matches('{').count())?;
        Some((known, &item[&method]))
    }

    /// Whether an answer is one that the document tells of.
    ///
    /// # Errors
    /// How it differs.
    pub fn check_answer(&self, answered: &Answered<'_>) -> Result<(), String> {
        let Answered { method, path, status, content_type, body } = answered;
        let Some((known, operation)) = self.operation(method, path) else { return Ok(()) };
        let what = format!("{method} {known} {status}");
        let responses = &operation["responses"];
        let told = responses.get(status.to_string()).unwrap_or(&responses["default"]);
        let named = told["$ref"].as_str().and_then(|name| self.0.pointer(name.trim_start_matches('#')));
        let told = named.unwrap_or(told);
        let Some(contents) = told.get("content").and_then(Value::as_object) else {
            return if body.is_empty() {
                Ok(())
            } else {
                Err(format!("{what}: a body, and none is told of"))
            };
        };
        let kind = content_type.split(';').next().unwrap_or_default();
        // A file of the page can be of any type.
        match contents.get(kind).or_else(|| contents.get("*/*")) {
            Some(content) if kind.ends_with("json") => self.check(&what, &content["schema"], body, true),
            None => Err(format!("{what}: {content_type:?} is not told of")),
            Some(_) => Ok(()),
        }
    }

    /// Whether a body of JSON that was accepted is one that the document tells of.
    ///
    /// # Errors
    /// How it differs.
    pub fn check_body(&self, method: &str, path: &str, body: &[u8]) -> Result<(), String> {
        let Some((known, operation)) = self.operation(method, path) else { return Ok(()) };
        match operation.pointer("/requestBody/content/application~1json/schema") {
            Some(schema) => self.check(&format!("the body of {method} {known}"), schema, body, false),
            None => Ok(()),
        }
    }

    fn check(&self, what: &str, schema: &Value, body: &[u8], is_closed: bool) -> Result<(), String> {
        if body.len() > BYTES_MAX {
            return Ok(());
        }
        let value: Value = serde_json::from_slice(body).map_err(|e| format!("{what}: {e}"))?;
        let checked = Check { document: &self.0, is_closed }.value(schema, &value, "");
        checked.map_err(|wrong| format!("{what}: {wrong}\n{value}"))
    }
}

/// Calls back for every schema of a document, and for those in it.
fn schemas(value: &Value, seen: &mut dyn FnMut(&Map<String, Value>)) {
    let Value::Object(fields) = value else {
        value.as_array().into_iter().flatten().for_each(|item| schemas(item, seen));
        return;
    };
    for (name, inner) in fields {
        match name.as_str() {
            "schema" => schema(inner, seen),
            "schemas" => {
                inner.as_object().into_iter().flat_map(Map::values).for_each(|one| schema(one, seen))
            }
            _ => schemas(inner, seen),
        }
    }
}

fn schema(value: &Value, seen: &mut dyn FnMut(&Map<String, Value>)) {
    let Value::Object(fields) = value else { return };
    seen(fields);
    for name in ["items", "additionalProperties"] {
        fields.get(name).into_iter().for_each(|inner| schema(inner, seen));
    }
    fields.get("anyOf").and_then(Value::as_array).into_iter().flatten().for_each(|inner| schema(inner, seen));
    let properties = fields.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(Map::values).for_each(|inner| schema(inner, seen));
}

struct Check<'a> {
    document: &'a Value,
    /// Whether objects have no fields but those that are named.
    is_closed: bool,
}

impl Check<'_> {
    fn value(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        if let Some(name) = schema["$ref"].as_str() {
            let found = self.document.pointer(name.trim_start_matches('#'));
            return self.value(found.ok_or_else(|| format!("{name} is not there"))?, value, at);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            let wrong: Vec<String> =
                choices.iter().map_while(|choice| self.value(choice, value, at).err()).collect();
            return if wrong.len() < choices.len() { Ok(()) } else { Err(wrong.join(", or ")) };
        }
        let told = [&schema["type"]].into_iter().chain(schema["type"].as_array().into_iter().flatten());
        let kinds: Vec<&str> = told.filter_map(Value::as_str).collect();
        if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(value, kind)) {
            return Err(format!("{at} is {value}, not {kinds:?}"));
        }
        if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
            return Err(format!("{at} is {value}, none of {}", schema["enum"]));
        }
        let size = match value {
            Value::Number(number) => ("minimum", "maximum", number.as_f64()),
            Value::String(text) => ("minLength", "maxLength", Some(text.chars().count() as f64)),
            Value::Array(items) => ("minItems", "maxItems", Some(items.len() as f64)),
            _ => ("", "", None),
        };
        if let (least, most, Some(size)) = size
            && (schema[least].as_f64().is_some_and(|least| size < least)
                || schema[most].as_f64().is_some_and(|most| size > most))
        {
            return Err(format!("{at}: {size} is out of bounds"));
        }
        match value {
            Value::Array(items) if !schema["items"].is_null() => {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(i, item)| self.value(&schema["items"], item, &format!("{at}[{i}]")))
            }
            Value::Object(fields) => self.fields(schema, fields, at),
            _ => Ok(()),
        }
    }

    fn fields(&self, schema: &Value, fields: &Map<String, Value>, at: &str) -> Result<(), String> {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(missing) = required.into_iter().find(|name| !fields.contains_key(*name)) {
            return Err(format!("{at} has no {missing}"));
        }
        let others = &schema["additionalProperties"];
        let is_closed =
            others == false || others.is_null() && self.is_closed && schema["properties"].is_object();
        for (name, value) in fields {
            let at = format!("{at}.{name}");
            match (schema["properties"].get(name), others) {
                (Some(known), _) => self.value(known, value, &at)?,
                (None, Value::Object(_)) => self.value(others, value, &at)?,
                (None, _) if is_closed => return Err(format!("{at} is not told of")),
                _ => {}
            }
        }
        Ok(())
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => value.is_null(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_told_is_a_difference() {
        let schema = json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "string", "maxLength": 3},
            "list": {"type": ["array", "null"], "maxItems": 1, "items": {"$ref": "#/k"}},
            "by": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
            "either": {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["a"]}]}}});
        let document = json!({"k": {"type": "number", "maximum": 2}});
        let check = |value: Value| Check { document: &document, is_closed: true }.value(&schema, &value, "");
        for right in [
            json!({"id": "abc"}),
            json!({"id": "", "list": null, "by": {"x": 1, "y": 2.0}, "either": true}),
            json!({"id": "", "list": [1.5], "either": "a"}),
        ] {
            assert_eq!(check(right.clone()), Ok(()), "{right}");
        }
        for wrong in [
            json!({}),
            json!([]),
            json!({"id": "abcd"}),
            json!({"id": null}),
            json!({"id": "", "other": 1}),
            json!({"id": "", "list": [3]}),
            json!({"id": "", "list": [1, 1]}),
            json!({"id": "", "by": {"x": -1}}),
            json!({"id": "", "by": {"x": 0.5}}),
            json!({"id": "", "either": "b"}),
        ] {
            assert!(check(wrong.clone()).is_err(), "{wrong}");
        }
        let open = Check { document: &document, is_closed: false };
        assert_eq!(open.value(&schema, &json!({"id": "", "other": 1}), ""), Ok(()));
    }
}
