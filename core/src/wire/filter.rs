//! A filter from JSON: text of the filter language, or a tree.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::base::ids::shorten;
use crate::base::{FilterTreeError, InputError, Result};
use crate::collection::parse_filter;
use crate::meta::Filter;

/// A filter as text or as a tree ([`Filter::from_json`]); read by [`FilterBody::filter`].
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct FilterBody(Box<RawValue>);

impl FilterBody {
    /// As the core's filter; none when the text is empty.
    ///
    /// # Errors
    /// `invalid_filter` with the position in the text, or the place in the tree; `invalid_request` when a text is none.
    pub fn filter(&self) -> Result<Option<Filter>> {
        let json = self.0.get();
        if json.starts_with('"') {
            let text: String = serde_json::from_str(json).map_err(|e| InputError::Request {
                got: shorten(json),
                expected: format!("a filter of text: {e}"),
            })?;
            return parse_filter(&text);
        }
        let refuse = |expected: String| FilterTreeError { at: "filter".into(), got: shorten(json), expected };
        if !json.starts_with('{') {
            return Err(refuse("text or an object".into()).into());
        }
        // Also beyond the nesting that JSON can have, which is deeper than a filter's.
        let tree = serde_json::from_str(json).map_err(|e| refuse(format!("a tree of conditions ({e})")))?;
        Filter::from_json(&tree).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_text_or_a_tree() {
        let filter = |json: &str| serde_json::from_str::<FilterBody>(json).expect("JSON").filter();
        let printed = |json: &str| filter(json).map(|filter| filter.map(|filter| filter.to_string()));
        assert_eq!(printed(r#""a=1""#), Ok(Some("a = 1".to_owned())));
        assert_eq!(printed(r#"" ""#), Ok(None));
        assert_eq!(printed(r#" {"field": "a", "op": "=", "value": 1} "#), Ok(Some("a = 1".to_owned())));
        assert_eq!(
            serde_json::from_str::<Option<FilterBody>>("null").map(|filter| filter.is_none()).ok(),
            Some(true)
        );
        for (json, code, message) in [
            (r#""a =""#, "invalid_filter", "position 3"),
            (r#""\ud800""#, "invalid_request", "text"),
            ("5", "invalid_filter", "at filter: expected text or an object"),
            ("[]", "invalid_filter", "at filter: expected text or an object"),
            (r#"{"not": 1}"#, "invalid_filter", "at filter.not"),
            (r#"{"not": {}, "not": {}}"#, "invalid_filter", "stands twice"),
            (&format!("{}1{}", r#"{"not":"#.repeat(1000), "}".repeat(1000)), "invalid_filter", "recursion"),
        ] {
            let refused = filter(json).expect_err("no filter");
            assert_eq!(refused.code(), code, "{json}");
            assert!(refused.to_string().contains(message), "{json}: {refused}");
        }
    }
}
