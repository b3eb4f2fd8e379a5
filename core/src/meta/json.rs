//! A filter as a tree of JSON, for programs: the same conditions, and no quotes to get wrong.
//!
//! ```text
//! tree      = { "and": [ tree, ... ] } | { "or": [ tree, ... ] } | { "not": tree } | condition ;
//! condition = { "field": path, "op": "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=", "value": value }
//!           | { "field": path, "op": "contains", "value": value }
//!           | { "field": path, "op": "in" | "any" | "all", "value": [ value, ... ] }
//!           | { "field": path, "op": "between", "value": [ value, value ] }
//!           | { "field": path, "op": "like" | "ilike", "value": text }
//!           | { "field": path, "op": "is null" | "is not null" | "is empty" | "is not empty" | "exists" }
//!           | { "field": path, "op": "matches" | "words", "value": text } ;
//! value     = text | number | true | false | null | { "date": text } | { "unquoted": text } ;
//! ```
//! `not ` may stand before `contains`, `in`, `any`, `all`, `between`, `like` and `ilike`. `words` is what `CONTAINS(field,
//! words)` is: in the top `and` it scores and excludes nothing, under `or` and `not` it is `matches`. JSON's strings are
//! text; its other values mean what they do unquoted. `date` is what `date('2024-05-01')` is, `unquoted` is for a spelling
//! that JSON has not: `05`.

use std::fmt::Write as _;

use super::ast::{Expr, Filter, Literal, Op, WordsPart};
use super::like::Pattern;
use super::parser::{DATE, Item, Joint, is_null};
use crate::base::ids::shorten;
use crate::base::limits::{FIELD_PATH_BYTES_MAX, FILTER_BYTES_MAX, FILTER_DEPTH_MAX, FILTER_NODES_MAX};
use crate::base::{FilterTreeError, Object, Result, Value};

type Parsed<T> = std::result::Result<T, FilterTreeError>;

const TREE: &str = "an object with and, or, not, or field and op";
const OPS: &str = "=, ==, !=, <>, <, <=, >, >=, [not ]in, any, all, contains, between, like or ilike, is [not ]null, \
                   is [not ]empty, exists, matches or words";

impl Filter {
    /// Reads a filter from a tree of JSON; `null` lets all pass.
    ///
    /// # Errors
    /// `invalid_filter` with the place, such as `filter.and[1].op`, what stands there and what could; also beyond the
    /// limits that text has.
    ///
    /// # Examples
    /// ```
    /// use kithdb::base::value::parse_object;
    /// use kithdb::base::Value;
    /// use kithdb::meta::Filter;
    ///
    /// let tree = parse_object(r#"{"and": [{"field": "year", "op": ">=", "value": 1990},
    ///     {"not": {"field": "lang", "op": "in", "value": ["en", "it"]}}]}"#)?;
    /// let filter = Filter::from_json(&Value::Object(tree))?;
    /// assert_eq!(filter.to_string(), "year >= 1990 AND NOT lang IN ('en', 'it')");
    /// assert_eq!(Filter::from_json(&filter.to_json())?, filter);
    /// # Ok::<(), kithdb::base::Error>(())
    /// ```
    pub fn from_json(tree: &Value) -> Result<Self> {
        if *tree == Value::Null {
            return Ok(Self::default());
        }
        let mut parser = Parser { at: "filter".to_owned(), nodes: 0, bytes: 0 };
        Ok(parser.tree(tree, 0)?.filter())
    }

    /// The tree that [`Filter::from_json`] reads as this.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut parts: Vec<Value> = match &self.condition {
            Some(Expr::And(parts)) => parts.iter().map(tree_of).collect(),
            condition => condition.iter().map(tree_of).collect(),
        };
        let words =
            |part: &WordsPart| condition_of(&part.field, "words", Some(Value::Str(part.text.clone())));
        parts.extend(self.words.iter().map(words));
        if parts.len() > 1 { object("and", Value::Array(parts)) } else { parts.pop().unwrap_or(Value::Null) }
    }
}

struct Parser {
    /// Where it is in the tree.
    at: String,
    /// Comparisons, list items and NOTs so far.
    nodes: usize,
    /// Those of fields and texts so far.
    bytes: usize,
}

impl Parser {
    fn error(&self, got: String, expected: &str) -> FilterTreeError {
        FilterTreeError { at: self.at.clone(), got, expected: expected.to_owned() }
    }

    fn unexpected(&self, got: &Value, expected: &str) -> FilterTreeError {
        self.error(shorten(&json(got)), expected)
    }

    /// What `f` reads one step further into the tree.
    fn within<T>(
        &mut self,
        step: std::fmt::Arguments<'_>,
        f: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let len = self.at.len();
        self.at.write_fmt(step).expect("memory can be written");
        let read = f(self)?;
        self.at.truncate(len);
        Ok(read)
    }

    fn count_node(&mut self) -> Parsed<()> {
        self.nodes += 1;
        if self.nodes > FILTER_NODES_MAX {
            let expected = format!("at most {FILTER_NODES_MAX} comparisons and list values");
            return Err(self.error("one more".to_owned(), &expected));
        }
        Ok(())
    }

    fn check_depth(&self, depth: usize) -> Parsed<()> {
        if depth > FILTER_DEPTH_MAX {
            let expected = format!("at most {FILTER_DEPTH_MAX} levels of and, or and not");
            return Err(self.error(format!("{depth} levels"), &expected));
        }
        Ok(())
    }

    fn tree(&mut self, tree: &Value, depth: usize) -> Parsed<Joint> {
        self.check_depth(depth)?;
        let Value::Object(fields) = tree else { return Err(self.unexpected(tree, TREE)) };
        let joint = ["and", "or", "not"].into_iter().find_map(|key| Some((key, fields.get(key)?)));
        let Some((key, inner)) = joint else { return self.condition(fields, depth) };
        self.check_keys(fields, &[key])?;
        if key == "not" {
            self.count_node()?;
            let inner = self.within(format_args!(".not"), |p| p.tree(inner, depth + 1))?;
            return Ok(Joint::from_expr(inner.condition().map(|inner| Expr::Not(Box::new(inner)))));
        }
        let parts = self.within(format_args!(".{key}"), |p| p.trees(inner, depth + 1))?;
        if key == "and" {
            return Ok(Joint(parts.into_iter().flat_map(|part| part.0).collect()));
        }
        Ok(Joint::from_expr(Expr::or(parts.into_iter().filter_map(Joint::condition).collect())))
    }

    fn trees(&mut self, list: &Value, depth: usize) -> Parsed<Vec<Joint>> {
        let items = self.items(list, "a list of at least one condition")?;
        let tree = |(i, item)| self.within(format_args!("[{i}]"), |p| p.tree(item, depth));
        items.iter().enumerate().map(tree).collect()
    }

    /// The items of a list that is not empty.
    fn items<'a>(&self, list: &'a Value, expected: &str) -> Parsed<&'a [Value]> {
        match list {
            Value::Array(items) if !items.is_empty() => Ok(items),
            _ => Err(self.unexpected(list, expected)),
        }
    }

    fn check_keys(&self, fields: &Object, known: &[&str]) -> Parsed<()> {
        match fields.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let expected = if known.len() == 1 { "nothing beside it" } else { "no other key" };
                let expected = format!("{} and {expected}", known.join(", "));
                Err(self.error(format!("the key {:?}", shorten(key)), &expected))
            }
        }
    }

    fn condition(&mut self, fields: &Object, depth: usize) -> Parsed<Joint> {
        if !fields.contains_key("field") {
            return Err(self.unexpected(&Value::Object(fields.clone()), TREE));
        }
        self.check_keys(fields, &["field", "op", "value"])?;
        self.count_node()?;
        let missing = |key: &str| self.error(format!("no {key}"), "field, op and, for most, value");
        let (field, op) = (&fields["field"], fields.get("op").ok_or_else(|| missing("op"))?);
        let field = self.within(format_args!(".field"), |p| p.field(field))?;
        let Some(op) = op.as_str() else {
            return self.within(format_args!(".op"), |p| Err(p.unexpected(op, OPS)));
        };
        if let Some(expr) = self.without_value(op, &field, depth)? {
            if fields.contains_key("value") {
                return Err(self.error("a value".to_owned(), &format!("no value with {op}")));
            }
            return Ok(Joint::of(expr));
        }
        let plain = op.strip_prefix("not ").filter(|op| NEGATED.contains(op));
        if plain.is_some() {
            self.check_depth(depth + 1)?;
            self.count_node()?;
        }
        let value = fields.get("value");
        let item = self.with_value(plain.unwrap_or(op), field, value)?;
        Ok(Joint(vec![match item {
            Item::Condition(expr) if plain.is_some() => Item::Condition(Expr::Not(Box::new(expr))),
            item => item,
        }]))
    }

    /// A condition that is said without a value; `None` when this one is not.
    fn without_value(&mut self, op: &str, field: &str, depth: usize) -> Parsed<Option<Expr>> {
        let field = field.to_owned();
        let (expr, levels, nodes) = match op {
            "exists" => (Expr::Exists { field }, 0, 0),
            "is empty" | "is not empty" => (Expr::Empty { field }, 0, 0),
            "is null" | "is not null" => (is_null(field), 2, 2),
            _ => return Ok(None),
        };
        let negated = op.starts_with("is not ");
        self.check_depth(depth + levels + usize::from(negated))?;
        for _ in 0..nodes + usize::from(negated) {
            self.count_node()?;
        }
        Ok(Some(if negated { Expr::Not(Box::new(expr)) } else { expr }))
    }

    fn with_value(&mut self, op: &str, field: String, value: Option<&Value>) -> Parsed<Item> {
        let comparison = match op {
            "=" | "==" | "contains" => Some(Op::Eq),
            "!=" | "<>" => Some(Op::Ne),
            "<" => Some(Op::Lt),
            "<=" => Some(Op::Le),
            ">" => Some(Op::Gt),
            ">=" => Some(Op::Ge),
            _ => None,
        };
        if comparison.is_none() && !VALUED.contains(&op) {
            let got = Value::Str(op.to_owned());
            return self.within(format_args!(".op"), |p| Err(p.unexpected(&got, OPS)));
        }
        let Some(value) = value else {
            return Err(self.error("no value".to_owned(), &format!("a value for {op}")));
        };
        self.within(format_args!(".value"), |p| {
            if let Some(op) = comparison {
                return Ok(Item::Condition(Expr::Compare { field, op, value: p.value(value, op)? }));
            }
            Ok(Item::Condition(match op {
                "in" | "any" => Expr::In { field, values: p.values(value)? },
                "all" => {
                    let equal = |value| Expr::Compare { field: field.clone(), op: Op::Eq, value };
                    let all = p.values(value)?.into_iter().map(equal).collect();
                    Expr::and(all).expect("no list is empty")
                }
                "between" => p.between(field, value)?,
                "like" | "ilike" => {
                    let text = p.text(value, "a pattern, such as \"gir%\"")?;
                    Expr::Like { field, pattern: Pattern::new(&text, op == "ilike") }
                }
                "matches" => Expr::Matches { field, text: p.text(value, "words, as text")? },
                _ => {
                    let text = p.text(value, "words, as text")?;
                    return Ok(Item::Words(WordsPart { field, text }));
                }
            }))
        })
    }

    fn between(&mut self, field: String, value: &Value) -> Parsed<Expr> {
        let expected = "a list of the lower and the upper bound";
        let [low, high] = self.items(value, expected)? else { return Err(self.unexpected(value, expected)) };
        let lower = self.within(format_args!("[0]"), |p| p.value(low, Op::Ge))?;
        let higher = self.within(format_args!("[1]"), |p| {
            let higher = p.value(high, Op::Le)?;
            match lower.bound().filter(|kind| higher.bound() != Some(*kind)) {
                None => Ok(higher),
                Some(kind) => Err(p.unexpected(high, kind.expected())),
            }
        })?;
        Ok(Expr::Between { field, low: lower, high: higher })
    }

    fn values(&mut self, list: &Value) -> Parsed<Vec<Literal>> {
        let items = self.items(list, "a list of at least one value")?;
        for _ in 1..items.len() {
            self.count_node()?;
        }
        let value = |(i, item)| self.within(format_args!("[{i}]"), |p| p.value(item, Op::Eq));
        items.iter().enumerate().map(value).collect()
    }

    /// A value that can be compared so.
    fn value(&mut self, value: &Value, op: Op) -> Parsed<Literal> {
        let expected = "a value: text, a number, true, false or null";
        let literal = match value {
            Value::Str(text) => Literal::Text(self.counted(text)?),
            Value::Object(fields) => {
                let only = fields.first_key_value().filter(|_| fields.len() == 1);
                match only.map(|(key, text)| (key.as_str(), text)) {
                    Some(("unquoted", Value::Str(text))) => Literal::bare(&self.counted(text)?),
                    Some(("date", Value::Str(text))) => {
                        let date = Literal::date(&self.counted(text)?);
                        date.ok_or_else(|| self.error(shorten(text), DATE))?
                    }
                    _ => return Err(self.unexpected(value, expected)),
                }
            }
            Value::Array(_) => return Err(self.unexpected(value, expected)),
            plain => Literal::bare(&json(plain)),
        };
        if !matches!(op, Op::Eq | Op::Ne) && literal.bound().is_none() {
            return Err(self.unexpected(value, &format!("a number, text or a date after {}", op.sign())));
        }
        Ok(literal)
    }

    fn text(&mut self, value: &Value, expected: &str) -> Parsed<String> {
        let text = value.as_str().ok_or_else(|| self.unexpected(value, expected))?;
        self.counted(text)
    }

    fn field(&mut self, value: &Value) -> Parsed<String> {
        let name = value.as_str().ok_or_else(|| self.unexpected(value, "the name of a field"))?;
        if name.len() > FIELD_PATH_BYTES_MAX {
            let expected = format!("a field of at most {FIELD_PATH_BYTES_MAX} bytes");
            return Err(self.unexpected(value, &expected));
        }
        self.counted(name)
    }

    /// A text that counts towards the length of the filter.
    fn counted(&mut self, text: &str) -> Parsed<String> {
        self.bytes += text.len();
        if self.bytes > FILTER_BYTES_MAX {
            let expected = format!("at most {FILTER_BYTES_MAX} bytes of fields and texts");
            return Err(self.error("more".to_owned(), &expected));
        }
        Ok(text.to_owned())
    }
}

/// Those that `not` can stand before.
const NEGATED: [&str; 7] = ["contains", "in", "any", "all", "between", "like", "ilike"];
/// Those with a value that are no sign.
const VALUED: [&str; 8] = ["in", "any", "all", "between", "like", "ilike", "matches", "words"];

fn json(value: &Value) -> String {
    serde_json::to_string(value).expect("its names are text and its numbers finite")
}

fn object(key: &str, value: Value) -> Value {
    Value::Object(Object::from([(key.to_owned(), value)]))
}

fn condition_of(field: &str, op: &str, value: Option<Value>) -> Value {
    let text = |text: &str| Value::Str(text.to_owned());
    let mut fields = Object::from([("field".to_owned(), text(field)), ("op".to_owned(), text(op))]);
    fields.extend(value.map(|value| ("value".to_owned(), value)));
    Value::Object(fields)
}

fn tree_of(expr: &Expr) -> Value {
    let trees = |parts: &[Expr]| Value::Array(parts.iter().map(tree_of).collect());
    let list = |values: &[&Literal]| Value::Array(values.iter().map(|value| value_of(value)).collect());
    let text = |text: &str| Some(Value::Str(text.to_owned()));
    match expr {
        Expr::And(parts) => object("and", trees(parts)),
        Expr::Or(parts) => object("or", trees(parts)),
        Expr::Not(inner) => object("not", tree_of(inner)),
        Expr::Compare { field, op, value } => condition_of(field, op.sign(), Some(value_of(value))),
        Expr::In { field, values } => {
            condition_of(field, "in", Some(list(&values.iter().collect::<Vec<_>>())))
        }
        Expr::Between { field, low, high } => condition_of(field, "between", Some(list(&[low, high]))),
        Expr::Like { field, pattern } => {
            condition_of(field, if pattern.ignores_case() { "ilike" } else { "like" }, text(pattern.text()))
        }
        Expr::Exists { field } => condition_of(field, "exists", None),
        Expr::Empty { field } => condition_of(field, "is empty", None),
        Expr::Matches { field, text: words } => condition_of(field, "matches", text(words)),
    }
}

fn value_of(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Text(text) => Value::Str(text.clone()),
        Literal::Plain { value, text } if json(value) == *text => value.clone(),
        Literal::Plain { text, .. } => object("unquoted", Value::Str(text.clone())),
        Literal::Date { text, .. } => object("date", Value::Str(text.clone())),
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
