//! From the text of a filter to its tree, by recursive descent with a bounded depth.

use super::ast::{Expr, Filter, Literal, Op, WordsPart};
use super::like::Pattern;
use super::token::{Kind, Token, next};
use crate::base::limits::{FIELD_PATH_BYTES_MAX, FILTER_BYTES_MAX, FILTER_DEPTH_MAX, FILTER_NODES_MAX};
use crate::base::{FilterError, Result};

type Parsed<T> = std::result::Result<T, FilterError>;

const COMPARISON: &str = "a comparison like year >= 1990";
const OPERATOR: &str = "an operator: =, !=, <, <=, >, >=, [NOT] IN, BETWEEN, LIKE, ILIKE, CONTAINS, ANY or ALL, IS [NOT] NULL or EMPTY";
const NEGATED: &str = "IN, BETWEEN, LIKE, ILIKE, CONTAINS, ANY or ALL";
pub(super) const DATE: &str = "a date like 2024-05-01 or 2024-05-01T10:00:00+02:00";
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
    let mut parser = Parser { text, token, nodes: 0 };
    let joint = parser.or(0)?;
    if parser.token.kind != Kind::End {
        return Err(parser.unexpected(JOINT).into());
    }
    Ok(joint.filter())
}

struct Parser<'a> {
    text: &'a str,
    token: Token,
    /// Comparisons, list items and NOTs so far.
    nodes: usize,
}

/// Parts that all must hold; only a parser that knows what is around them knows whether words score.
pub(super) struct Joint(pub(super) Vec<Item>);

pub(super) enum Item {
    Condition(Expr),
    /// `CONTAINS(field, words)`
    Words(WordsPart),
}

impl Joint {
    pub(super) fn of(expr: Expr) -> Self {
        Self(vec![Item::Condition(expr)])
    }

    pub(super) fn from_expr(expr: Option<Expr>) -> Self {
        Self(expr.map(Item::Condition).into_iter().collect())
    }

    /// As a part of OR or NOT, where words are a condition.
    pub(super) fn condition(self) -> Option<Expr> {
        let condition = |item| match item {
            Item::Condition(expr) => expr,
            Item::Words(WordsPart { field, text }) => Expr::Matches { field, text },
        };
        Expr::and(self.0.into_iter().map(condition).collect())
    }

    /// As the top of a filter, where words score and exclude nothing.
    pub(super) fn filter(self) -> Filter {
        let (mut conditions, mut words) = (Vec::new(), Vec::new());
        for item in self.0 {
            match item {
                Item::Condition(expr) => conditions.push(expr),
                Item::Words(part) => words.push(part),
            }
        }
        Filter { condition: Expr::and(conditions), words }
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

    fn or(&mut self, depth: usize) -> Parsed<Joint> {
        let first = self.and(depth)?;
        if !self.token.is("or") {
            return Ok(first);
        }
        let mut parts: Vec<Expr> = first.condition().into_iter().collect();
        while self.token.is("or") {
            self.advance()?;
            parts.extend(self.and(depth)?.condition());
        }
        Ok(Joint::from_expr(Expr::or(parts)))
    }

    fn and(&mut self, depth: usize) -> Parsed<Joint> {
        let mut joint = self.not(depth)?;
        while self.token.is("and") {
            self.advance()?;
            joint.0.extend(self.not(depth)?.0);
        }
        Ok(joint)
    }

    fn not(&mut self, depth: usize) -> Parsed<Joint> {
        self.check_depth(depth)?;
        if self.token.is("not") {
            self.count_node()?;
            self.advance()?;
            let inner = self.not(depth + 1)?.condition();
            return Ok(Joint::from_expr(inner.map(|inner| Expr::Not(Box::new(inner)))));
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

    fn comparison(&mut self, depth: usize) -> Parsed<Joint> {
        if self.token.is("and") || self.token.is("or") {
            return Err(self.unexpected(COMPARISON));
        }
        let called = ["exists", "matches", "contains"].into_iter().find(|name| self.token.is(name));
        let field = self.field(COMPARISON)?;
        if let Some(name) = called
            && self.token.kind == Kind::Open
        {
            self.advance()?;
            return if name == "exists" { self.exists() } else { self.words(name == "contains") };
        }
        if let Kind::Op(op) = self.token.kind {
            self.advance()?;
            let value = self.value(op)?;
            return Ok(Joint::of(Expr::Compare { field, op, value }));
        }
        if self.token.is("is") {
            self.advance()?;
            return self.is(field, depth);
        }
        let negated = self.token.is("not");
        if negated {
            self.negate(depth)?;
        }
        let expr = self.worded(field, if negated { NEGATED } else { OPERATOR })?;
        Ok(Joint::of(if negated { Expr::Not(Box::new(expr)) } else { expr }))
    }

    /// Passes a NOT that stands behind a field.
    fn negate(&mut self, depth: usize) -> Parsed<()> {
        self.check_depth(depth + 1)?;
        self.count_node()?;
        self.advance().map(drop)
    }

    /// What follows `IS`.
    fn is(&mut self, field: String, depth: usize) -> Parsed<Joint> {
        let negated = self.token.is("not");
        if negated {
            self.negate(depth)?;
        }
        let expr = if self.token.is("empty") {
            Expr::Empty { field }
        } else if self.token.is("null") {
            // As it is printed: (field = null OR NOT EXISTS(field)).
            self.check_depth(depth + 2 + usize::from(negated))?;
            self.count_node()?;
            self.count_node()?;
            is_null(field)
        } else {
            return Err(self.unexpected(if negated { "NULL or EMPTY" } else { "[NOT] NULL or EMPTY" }));
        };
        self.advance()?;
        Ok(Joint::of(if negated { Expr::Not(Box::new(expr)) } else { expr }))
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
        let bound = self.token.clone();
        let high = self.value(Op::Le)?;
        if let Some(kind) = low.bound().filter(|kind| high.bound() != Some(*kind)) {
            self.token = bound;
            return Err(self.unexpected(kind.expected()));
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

    fn exists(&mut self) -> Parsed<Joint> {
        let field = self.field("a field")?;
        self.expect(&Kind::Close, "a closing parenthesis")?;
        Ok(Joint::of(Expr::Exists { field }))
    }

    /// What follows `MATCHES(`, or `CONTAINS(`, which may score.
    fn words(&mut self, scores: bool) -> Parsed<Joint> {
        let field = self.field("a text field")?;
        self.expect(&Kind::Comma, "a comma")?;
        let (Kind::Quoted(text) | Kind::Bare(text)) = &self.token.kind else {
            return Err(self.unexpected("words in quotes"));
        };
        let text = text.clone();
        self.advance()?;
        self.expect(&Kind::Close, "a closing parenthesis")?;
        Ok(Joint(vec![if scores {
            Item::Words(WordsPart { field, text })
        } else {
            Item::Condition(Expr::Matches { field, text })
        }]))
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
        if self.token.is("date") && next(self.text, self.token.end)?.kind == Kind::Open {
            self.advance()?;
            return self.date();
        }
        if value.bound().is_none() && !matches!(op, Op::Eq | Op::Ne) {
            return Err(self.unexpected(&format!("a number, text or a date after {}", op.sign())));
        }
        self.advance()?;
        Ok(value)
    }

    /// What follows `date`.
    fn date(&mut self) -> Parsed<Literal> {
        self.advance()?;
        let date = match &self.token.kind {
            Kind::Quoted(text) | Kind::Bare(text) => Literal::date(text),
            _ => None,
        };
        let Some(date) = date else { return Err(self.unexpected(DATE)) };
        self.advance()?;
        self.expect(&Kind::Close, "a closing parenthesis")?;
        Ok(date)
    }
}

/// The field is null, or missing.
pub(super) fn is_null(field: String) -> Expr {
    let is_null = Expr::Compare { field: field.clone(), op: Op::Eq, value: Literal::Null };
    Expr::Or(vec![is_null, Expr::Not(Box::new(Expr::Exists { field }))])
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
