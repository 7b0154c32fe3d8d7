//! Prints Datalog for people. Quoted text is escaped, and nothing ever parses the result.

use std::fmt;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Binary, Block, BlockCheck, BlockRule, Kind, MapKey, Op, Predicate, Query, Term, Unary,
};
use crate::escape::quote;

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scopes.is_empty() {
            let scopes: Vec<String> = self.scopes.iter().map(ToString::to_string).collect();
            writeln!(f, "trusting {};", scopes.join(", "))?;
        }
        self.facts
            .iter()
            .try_for_each(|fact| writeln!(f, "{fact};"))?;
        self.rules
            .iter()
            .try_for_each(|rule| writeln!(f, "{rule};"))?;
        self.checks
            .iter()
            .try_for_each(|check| writeln!(f, "{check};"))
    }
}

impl fmt::Display for BlockRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <- {}", self.head, self.query)
    }
}

impl fmt::Display for BlockCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&check(self))
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&query(self))
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&predicate(self))
    }
}

fn check(check: &BlockCheck) -> String {
    let kind = match check.kind {
        Kind::One => "check if",
        Kind::All => "check all",
        Kind::Reject => "reject if",
    };
    let queries: Vec<String> = check.queries.iter().map(query).collect();
    format!("{kind} {}", queries.join(" or "))
}

fn query(query: &Query) -> String {
    let predicates = query.body.iter().map(predicate);
    let parts: Vec<String> = predicates
        .chain(query.expressions.iter().map(|ops| expression(ops)))
        .collect();
    let mut text = if parts.is_empty() {
        "true".to_owned()
    } else {
        parts.join(", ")
    };
    if !query.scopes.is_empty() {
        let scopes: Vec<String> = query.scopes.iter().map(ToString::to_string).collect();
        text.push_str(&format!(" trusting {}", scopes.join(", ")));
    }
    text
}

fn predicate(predicate: &Predicate) -> String {
    format!(
        "{}({})",
        name(&predicate.name),
        list(predicate.terms.iter())
    )
}

/// Writes a name unchanged if it is plain, and quoted if it could be mistaken for something else.
fn name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain);
    if is_plain {
        name.to_owned()
    } else {
        quote(name).to_string()
    }
}

fn list<'a>(terms: impl Iterator<Item = &'a Term>) -> String {
    terms.map(term).collect::<Vec<_>>().join(", ")
}

fn term(value: &Term) -> String {
    match value {
        Term::Variable(variable) => format!("${}", name(variable)),
        Term::Integer(value) => value.to_string(),
        Term::Str(text) => quote(text).to_string(),
        Term::Date(seconds) => date(*seconds).unwrap_or_else(|| format!("date({seconds})")),
        Term::Bytes(bytes) => format!("hex:{}", hex::encode(bytes)),
        Term::Bool(value) => value.to_string(),
        Term::Null => "null".to_owned(),
        // `{}` is the empty map.
        Term::Set(set) if set.is_empty() => "{,}".to_owned(),
        Term::Set(set) => format!("{{{}}}", list(set.iter())),
        Term::Array(terms) => format!("[{}]", list(terms.iter())),
        Term::Map(map) => {
            let entries = map.iter().map(|(key, value)| {
                let key = match key {
                    MapKey::Integer(value) => value.to_string(),
                    MapKey::Str(text) => quote(text).to_string(),
                };
                format!("{key}: {}", term(value))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The RFC 3339 form of a time; `None` after the year 9999.
fn date(seconds: u64) -> Option<String> {
    let seconds = i64::try_from(seconds).ok()?;
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    date.format(&Rfc3339).ok()
}

/// Maximum length of a printed expression, in bytes. A hostile expression could double in length with each
/// operation.
const MAX_EXPRESSION: usize = 16 * 1024;

fn expression(ops: &[Op]) -> String {
    // Nothing has evaluated the expression, so operands can be missing or left over.
    let mut stack: Vec<String> = Vec::new();
    for op in ops {
        let operands = match op {
            Op::Value(value) => Some(term(value)),
            Op::Closure(params, ops) if params.is_empty() => Some(expression(ops)),
            Op::Closure(params, ops) => {
                let params: Vec<String> = params
                    .iter()
                    .map(|param| format!("${}", name(param)))
                    .collect();
                Some(format!("{} -> {}", params.join(", "), expression(ops)))
            }
            Op::Unary(operator) => stack.pop().map(|operand| unary(operator, &operand)),
            Op::Binary(operator) => match (stack.pop(), stack.pop()) {
                (Some(right), Some(left)) => Some(binary(operator, &left, &right)),
                _ => None,
            },
        };
        match operands {
            Some(text) if text.len() <= MAX_EXPRESSION => stack.push(text),
            _ => return "<an expression that cannot be shown>".to_owned(),
        }
    }
    match <[String; 1]>::try_from(stack) {
        Ok([text]) => text,
        Err(_) => "<an expression that cannot be evaluated>".to_owned(),
    }
}

fn unary(operator: &Unary, operand: &str) -> String {
    match operator {
        Unary::Negate => format!("!{operand}"),
        Unary::Parens => format!("({operand})"),
        Unary::Length => format!("{operand}.length()"),
        Unary::TypeOf => format!("{operand}.type()"),
        Unary::Ffi(function) => format!("{operand}.extern::{}()", name(function)),
    }
}

fn binary(operator: &Binary, left: &str, right: &str) -> String {
    let infix = |symbol: &str| format!("{left} {symbol} {right}");
    let method = |method: &str| format!("{left}.{method}({right})");
    match operator {
        Binary::LessThan => infix("<"),
        Binary::GreaterThan => infix(">"),
        Binary::LessOrEqual => infix("<="),
        Binary::GreaterOrEqual => infix(">="),
        Binary::Equal => infix("==="),
        Binary::NotEqual => infix("!=="),
        Binary::HeterogeneousEqual => infix("=="),
        Binary::HeterogeneousNotEqual => infix("!="),
        Binary::Add => infix("+"),
        Binary::Sub => infix("-"),
        Binary::Mul => infix("*"),
        Binary::Div => infix("/"),
        Binary::And => infix("&&!"),
        Binary::Or => infix("||!"),
        Binary::LazyAnd => infix("&&"),
        Binary::LazyOr => infix("||"),
        Binary::BitwiseAnd => infix("&"),
        Binary::BitwiseOr => infix("|"),
        Binary::BitwiseXor => infix("^"),
        Binary::Contains => method("contains"),
        Binary::Prefix => method("starts_with"),
        Binary::Suffix => method("ends_with"),
        Binary::Regex => method("matches"),
        Binary::Intersection => method("intersection"),
        Binary::Union => method("union"),
        Binary::All => method("all"),
        Binary::Any => method("any"),
        Binary::Get => method("get"),
        Binary::TryOr => method("try_or"),
        Binary::Ffi(function) => method(&format!("extern::{}", name(function))),
    }
}
