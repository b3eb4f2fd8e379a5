//! From the text of a filter to its tree, by recursive descent with a bounded depth.

use super::ast::{Expr, Filter, Literal, Op, WordsPart};
use super::like::Pattern;
use super::token::{Kind, Token, next};
use crate::base::limits::{FIELD_PATH_BYTES_MAX, FILTER_BYTES_MAX, FILTER_DEPTH_MAX, FILTER_NODES_MAX};
use crate::base::{FilterError, Result};

type Parsed<T> = std::result::Result<T, FilterError>;

const COMPARISON: &str = "a comparison like year >= 1990";
const OPERATOR: &str =
    "an operator: =, !=, <, <=, >, >=, [NOT] IN, BETWEEN, LIKE, ILIKE, CONTAINS, ANY or ALL, IS [NOT] NULL";
const NEGATED: &str = "IN, BETWEEN, LIKE, ILIKE, CONTAINS, ANY or ALL";
const JOINT: &str = "AND, OR or the end (a value with spaces is quoted)";

pub(super) fn parse(text: &str) -> Result<Filter> {
    if text.len() > FILTER_BYTES_MAX {
        return Err(FilterError {
            position: FILTER_BYTES_MAX,
            got: format!("{} bytes", text.len()),
            expected: format!("a filter of at most {FILTER_BYTES_MAX} bytes"),
        }
        .into());
    }
    let token = next(text, 0)?;
    if token.kind == Kind::End {
        return Ok(Filter::default());
    }
    let mut parser = Parser { text, token, nodes: 0, words: Vec::new() };
    let condition = parser.or(0)?.expr;
    if parser.token.kind != Kind::End {
        return Err(parser.unexpected(JOINT).into());
    }
    Ok(Filter { condition, words: parser.words })
}

struct Parser<'a> {
    text: &'a str,
    token: Token,
    /// Comparisons, list items and NOTs so far.
    nodes: usize,
    words: Vec<WordsPart>,
}

/// A part of a filter; `CONTAINS` leaves no condition.
struct Part {
    expr: Option<Expr>,
    /// Where the first `CONTAINS` in it stands.
    words_at: Option<usize>,
}

impl Part {
    fn condition(expr: Expr) -> Self {
        Self { expr: Some(expr), words_at: None }
    }

    /// Refuses `CONTAINS` where it would be a condition.
    fn without_words(self) -> Parsed<Option<Expr>> {
        match self.words_at {
            None => Ok(self.expr),
            Some(position) => Err(FilterError {
                position,
                got: "CONTAINS under OR or NOT".into(),
                expected: "CONTAINS only in the top-level AND, where it scores and excludes nothing".into(),
            }),
        }
    }
}

impl Parser<'_> {
    fn advance(&mut self) -> Parsed<Token> {
        let following = next(self.text, self.token.end)?;
        Ok(std::mem::replace(&mut self.token, following))
    }

    fn unexpected(&self, expected: &str) -> FilterError {
        let got = match &self.token.kind {
            Kind::End => "the end of the filter".to_owned(),
            _ => shorten(&self.text[self.token.start..self.token.end]),
        };
        FilterError { position: self.token.start, got, expected: expected.to_owned() }
    }

    fn expect(&mut self, kind: &Kind, expected: &str) -> Parsed<()> {
        if self.token.kind != *kind {
            return Err(self.unexpected(expected));
        }
        self.advance().map(drop)
    }

    fn count_node(&mut self) -> Parsed<()> {
        self.nodes += 1;
        if self.nodes > FILTER_NODES_MAX {
            return Err(self.unexpected(&format!("at most {FILTER_NODES_MAX} comparisons and list values")));
        }
        Ok(())
    }

    fn check_depth(&self, depth: usize) -> Parsed<()> {
        if depth > FILTER_DEPTH_MAX {
            return Err(self.unexpected(&format!("at most {FILTER_DEPTH_MAX} levels of NOT and parentheses")));
        }
        Ok(())
    }

    fn or(&mut self, depth: usize) -> Parsed<Part> {
        let first = self.and(depth)?;
        if !self.token.is("or") {
            return Ok(first);
        }
        let mut parts: Vec<Expr> = first.without_words()?.into_iter().collect();
        while self.token.is("or") {
            self.advance()?;
            parts.extend(self.and(depth)?.without_words()?);
        }
        Ok(Part { expr: Expr::or(parts), words_at: None })
    }

    fn and(&mut self, depth: usize) -> Parsed<Part> {
        let first = self.not(depth)?;
        let mut words_at = first.words_at;
        let mut parts: Vec<Expr> = first.expr.into_iter().collect();
        while self.token.is("and") {
            self.advance()?;
            let part = self.not(depth)?;
            words_at = words_at.or(part.words_at);
            parts.extend(part.expr);
        }
        Ok(Part { expr: Expr::and(parts), words_at })
    }

    fn not(&mut self, depth: usize) -> Parsed<Part> {
        self.check_depth(depth)?;
        if self.token.is("not") {
            self.count_node()?;
            self.advance()?;
            let inner = self.not(depth + 1)?.without_words()?;
            return Ok(Part { expr: inner.map(|inner| Expr::Not(Box::new(inner))), words_at: None });
        }
        if self.token.kind == Kind::Open {
            self.advance()?;
            let inner = self.or(depth + 1)?;
            self.expect(&Kind::Close, "AND, OR or a closing parenthesis")?;
            return Ok(inner);
        }
        self.count_node()?;
        self.comparison(depth)
    }

    fn comparison(&mut self, depth: usize) -> Parsed<Part> {
        if self.token.is("and") || self.token.is("or") {
            return Err(self.unexpected(COMPARISON));
        }
        let (exists, contains) = (self.token.is("exists"), self.token.is("contains"));
        let start = self.token.start;
        let field = self.field(COMPARISON)?;
        if self.token.kind == Kind::Open && (exists || contains) {
            self.advance()?;
            return if exists { self.exists() } else { self.contains(start) };
        }
        if let Kind::Op(op) = self.token.kind {
            self.advance()?;
            let value = self.value(op)?;
            return Ok(Part::condition(Expr::Compare { field, op, value }));
        }
        if self.token.is("is") {
            self.advance()?;
            return self.is_null(field, depth);
        }
        let negated = self.token.is("not");
        if negated {
            self.negate(depth)?;
        }
        let expr = self.worded(field, if negated { NEGATED } else { OPERATOR })?;
        Ok(Part::condition(if negated { Expr::Not(Box::new(expr)) } else { expr }))
    }

    /// Passes a NOT that stands behind a field.
    fn negate(&mut self, depth: usize) -> Parsed<()> {
        self.check_depth(depth + 1)?;
        self.count_node()?;
        self.advance().map(drop)
    }

    /// What follows `IS`.
    fn is_null(&mut self, field: String, depth: usize) -> Parsed<Part> {
        let negated = self.token.is("not");
        if negated {
            self.negate(depth)?;
        }
        if !self.token.is("null") {
            return Err(self.unexpected(if negated { "NULL" } else { "NULL or NOT NULL" }));
        }
        self.check_depth(depth + 2)?;
        self.count_node()?;
        self.advance()?;
        let is_null = Expr::Compare { field: field.clone(), op: Op::Eq, value: Literal::Null };
        let is_missing = Expr::Not(Box::new(Expr::Exists { field }));
        let expr = Expr::Or(vec![is_null, is_missing]);
        Ok(Part::condition(if negated { Expr::Not(Box::new(expr)) } else { expr }))
    }

    /// A comparison whose operator is a word.
    fn worded(&mut self, field: String, expected: &str) -> Parsed<Expr> {
        let operators = ["in", "any", "all", "between", "like", "ilike", "contains"];
        let Some(operator) = operators.into_iter().find(|operator| self.token.is(operator)) else {
            return Err(self.unexpected(expected));
        };
        self.advance()?;
        Ok(match operator {
            "in" | "any" => Expr::In { field, values: self.list()? },
            "all" => {
                let equal = |value| Expr::Compare { field: field.clone(), op: Op::Eq, value };
                let mut all: Vec<Expr> = self.list()?.into_iter().map(equal).collect();
                if all.len() == 1 { all.remove(0) } else { Expr::And(all) }
            }
            "between" => self.between(field)?,
            "contains" => Expr::Compare { field, op: Op::Eq, value: self.value(Op::Eq)? },
            _ => {
                let (Kind::Quoted(text) | Kind::Bare(text)) = &self.token.kind else {
                    return Err(self.unexpected("a pattern in quotes, such as 'gir%'"));
                };
                let pattern = Pattern::new(text, operator == "ilike");
                self.advance()?;
                Expr::Like { field, pattern }
            }
        })
    }

    fn between(&mut self, field: String) -> Parsed<Expr> {
        let low = self.value(Op::Ge)?;
        if !self.token.is("and") {
            return Err(self.unexpected("AND and the upper bound"));
        }
        self.advance()?;
        let is_text = matches!(low, Literal::Text(_));
        let bound = self.token.clone();
        let high = self.value(Op::Le)?;
        if is_text != matches!(high, Literal::Text(_)) {
            self.token = bound;
            let expected = if is_text { "text, as the lower bound" } else { "a number, as the lower bound" };
            return Err(self.unexpected(expected));
        }
        Ok(Expr::Between { field, low, high })
    }

    fn list(&mut self) -> Parsed<Vec<Literal>> {
        self.expect(&Kind::Open, "an opening parenthesis")?;
        let mut values = vec![self.value(Op::Eq)?];
        while self.token.kind == Kind::Comma {
            self.count_node()?;
            self.advance()?;
            values.push(self.value(Op::Eq)?);
        }
        self.expect(&Kind::Close, "a comma or a closing parenthesis")?;
        Ok(values)
    }

    fn exists(&mut self) -> Parsed<Part> {
        let field = self.field("a field")?;
        self.expect(&Kind::Close, "a closing parenthesis")?;
        Ok(Part::condition(Expr::Exists { field }))
    }

    fn contains(&mut self, start: usize) -> Parsed<Part> {
        let field = self.field("a text field")?;
        self.expect(&Kind::Comma, "a comma")?;
        let (Kind::Quoted(text) | Kind::Bare(text)) = &self.token.kind else {
            return Err(self.unexpected("words in quotes"));
        };
        let text = text.clone();
        self.advance()?;
        self.expect(&Kind::Close, "a closing parenthesis")?;
        self.words.push(WordsPart { field, text });
        Ok(Part { expr: None, words_at: Some(start) })
    }

    fn field(&mut self, expected: &str) -> Parsed<String> {
        let (Kind::Bare(name) | Kind::Quoted(name) | Kind::Name(name)) = &self.token.kind else {
            return Err(self.unexpected(expected));
        };
        if name.len() > FIELD_PATH_BYTES_MAX {
            return Err(self.unexpected(&format!("a field of at most {FIELD_PATH_BYTES_MAX} bytes")));
        }
        let name = name.clone();
        self.advance()?;
        Ok(name)
    }

    /// A value that can be compared so. Where only a value can stand, a keyword is one: `country = IN`.
    fn value(&mut self, op: Op) -> Parsed<Literal> {
        let value = match &self.token.kind {
            Kind::Quoted(text) => Literal::Text(text.clone()),
            Kind::Bare(text) => Literal::bare(text),
            _ => return Err(self.unexpected("a value: a number, a word, true, false, null or quoted text")),
        };
        let ordered = match &value {
            Literal::Null => false,
            Literal::Plain { value, .. } => value.compare_numbers(value).is_some(),
            Literal::Text(_) => true,
        };
        if !ordered && !matches!(op, Op::Eq | Op::Ne) {
            return Err(self.unexpected(&format!("a number or text after {}", op.sign())));
        }
        self.advance()?;
        Ok(value)
    }
}

fn shorten(token: &str) -> String {
    const SHOWN: usize = 40;
    match token.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &token[..end]),
        None => token.to_owned(),
    }
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
