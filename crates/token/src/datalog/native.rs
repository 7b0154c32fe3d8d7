//! Conditions of a body that the verifier evaluates natively and states as facts.

use bailiwick_biscuit::datalog::{
    self,
    code::{Code, Query, Term},
};

use super::names;

/// A condition that a body asks for by `meets` or `during`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Native<'a> {
    /// A condition on arguments; see [`Test::parse`](crate::condition::Test::parse).
    Meets {
        /// The path of the argument.
        path: &'a str,
        /// The condition.
        text: &'a str,
    },
    /// A window of time; see [`During::parse`](crate::condition::During::parse).
    During {
        /// The window.
        text: &'a str,
    },
    /// A term is not a literal, or the number of terms is wrong. No verifier states such a fact.
    Malformed,
}

/// The conditions that a body in a token asks for.
pub fn natives<'c>(code: &'c Code, query: &Query) -> impl Iterator<Item = Native<'c>> {
    code.body(query).iter().filter_map(|predicate| {
        let texts = code.terms(predicate.terms).iter().map(|term| match term {
            Term::Str(text) => Some(code.text(*text)),
            _ => None,
        });
        native(code.text(predicate.name), texts)
    })
}

/// The conditions that the source of a body asks for.
pub fn natives_of(query: &datalog::Query) -> impl Iterator<Item = Native<'_>> {
    query.body.iter().filter_map(|predicate| {
        let texts = predicate.terms.iter().map(|term| match term {
            datalog::Term::Str(text) => Some(text.as_str()),
            _ => None,
        });
        native(&predicate.name, texts)
    })
}

/// Reads a predicate; `None` if it has another name.
fn native<'a>(name: &str, mut texts: impl Iterator<Item = Option<&'a str>>) -> Option<Native<'a>> {
    if name != names::MEETS && name != names::DURING {
        return None;
    }
    let terms = (texts.next().flatten(), texts.next(), texts.next());
    Some(match (name, terms) {
        (names::MEETS, (Some(path), Some(Some(text)), None)) => Native::Meets { path, text },
        (names::DURING, (Some(text), None, None)) => Native::During { text },
        _ => Native::Malformed,
    })
}

/// Returns true if a body names the elements of an array in a fact other than `meets`. No verifier states such a fact,
/// because a member could be called `*`.
#[must_use]
pub fn has_each_outside_meets(code: &Code, query: &Query) -> bool {
    let about_arguments = [names::ARG, names::NUM, names::DATE, names::JSON];
    code.body(query).iter().any(|predicate| {
        let is_argument = about_arguments.contains(&code.text(predicate.name));
        let first = code.terms(predicate.terms).first();
        let has_star = matches!(first, Some(Term::Str(path)) if code.text(*path).contains('*'));
        is_argument && has_star
    })
}
