//! Warnings about grants that are well formed, but may not mean what their writer has in mind.
//!
//! A [`Review`] reads the text and not the typed grants alone, since the spelling shows the intention: the bare list
//! `["acme", "globex"]` and `{ exact = ["acme", "globex"] }` are the same constraint, and only the first is suspicious.
//! So each warning has a spelling that states the wide meaning on purpose, and is silent about it.

mod argument;
mod bounds;
mod calls;
mod distance;
mod document;
mod rewrite;
mod stars;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests;
mod text_part;
mod whole;
mod words;

use std::collections::BTreeMap;

use super::{Grants, GrantsError};
use crate::value::{Value, toml::Document};
use argument::Argument;
use calls::Seen;
use rewrite::Form;

/// A warning about one place in grants text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The kind of the warning.
    pub kind: WarningKind,
    /// Path of the place, such as `grant[0].args.amount`.
    pub path: String,
    /// Line of the place in a TOML text, counted from 1.
    pub line: Option<usize>,
    /// A sentence about what the grants allow there, or fail to allow.
    pub message: String,
    /// The next step, in words.
    pub next: String,
    /// The text to write instead, in the form of the file; `None` if the next step is to remove a line, or needs
    /// knowledge that the text does not show.
    pub rewrite: Option<String>,
}

/// The kinds of warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WarningKind {
    /// A number has an upper bound and no lower one.
    MaxWithoutMin,
    /// A list stands for a whole array, where one of its elements was probably meant.
    BareArray,
    /// A star in a value is a plain character.
    StarInValue,
    /// A condition on a part of a text is meant to confine a URL, a path, an address or the like, but does not.
    TextPart,
    /// An object is open, although conditions on its members would have closed it.
    OpenParent,
    /// A grant allows nothing that another grant does not allow.
    WithinAnother,
    /// The prefix of an action ends inside a name.
    ActionPrefix,
    /// An amount of money may have any number of decimals.
    MoneyWithoutScale,
    /// A currency is open, although an amount is bounded.
    OpenCurrency,
    /// The names that are not allowed are listed, and all others are allowed.
    NotOneOfAlone,
    /// A string carries a document, whose content no condition bounds.
    DocumentInString,
    /// No recorded call has the argument.
    NeverSeen,
}

impl WarningKind {
    /// The stable name of the kind.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            WarningKind::MaxWithoutMin => "max_without_min",
            WarningKind::BareArray => "bare_array",
            WarningKind::StarInValue => "star_in_value",
            WarningKind::TextPart => "text_part",
            WarningKind::OpenParent => "open_parent",
            WarningKind::WithinAnother => "within_another",
            WarningKind::ActionPrefix => "action_prefix",
            WarningKind::MoneyWithoutScale => "money_without_scale",
            WarningKind::OpenCurrency => "open_currency",
            WarningKind::NotOneOfAlone => "not_one_of_alone",
            WarningKind::DocumentInString => "document_in_string",
            WarningKind::NeverSeen => "never_seen",
        }
    }
}

/// A review of grants text, which may take recorded calls into account.
///
/// ```
/// use bailiwick_token::grant::{Grants, warnings::{Review, WarningKind}};
///
/// let text = "[[grant]]\nservice = 'erp'\naction = 'order'\n[grant.args]\nvendor = ['acme', 'globex']";
/// let grants = Grants::from_toml(text)?;
/// let warnings = Review::of_toml(text, &grants)?.warnings();
/// let [warning] = warnings.as_slice() else { panic!() };
/// assert_eq!((warning.kind, warning.line), (WarningKind::BareArray, Some(5)));
/// assert_eq!(warning.rewrite.as_deref(), Some(r#"vendor = { one_of = ["acme", "globex"] }"#));
/// # Ok::<(), bailiwick_token::grant::GrantsError>(())
/// ```
#[derive(Debug)]
pub struct Review<'t> {
    grants: &'t Grants,
    value: Value,
    /// The text, if it is TOML.
    document: Option<Document<'t>>,
    seen: Seen,
}

impl<'t> Review<'t> {
    /// Begins the review of a TOML text and of the grants that were read from it.
    ///
    /// # Errors
    /// [`GrantsError`] if the text is not TOML.
    pub fn of_toml(text: &'t str, grants: &'t Grants) -> Result<Review<'t>, GrantsError> {
        let document = Document::parse(text)?;
        Ok(Review {
            grants,
            value: document.value().clone(),
            document: Some(document),
            seen: Seen::new(grants),
        })
    }

    /// Begins the review of the structure that TOML and JSON share, and of the grants that were read from it.
    #[must_use]
    pub fn of_value(value: Value, grants: &'t Grants) -> Review<'t> {
        Review {
            grants,
            value,
            document: None,
            seen: Seen::new(grants),
        }
    }

    /// Adds a recorded call. The values of its arguments are not kept.
    pub fn add_call(&mut self, service: &str, action: &str, args: &BTreeMap<String, Value>) {
        self.seen.add(self.grants, service, action, args);
    }

    /// Positions of the grants that no recorded call is for, counted from 0.
    #[must_use]
    pub fn grants_without_calls(&self) -> Vec<usize> {
        self.seen.grants_without_calls()
    }

    /// The warnings, in the order of the text.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let form = match &self.document {
            Some(_) => Form::Toml,
            None => Form::Json,
        };
        let mut warnings = whole::warnings(self.grants, form);
        for (grant, args) in self.arguments() {
            warnings.extend(whole::argument_warnings(grant, args, form));
            for (name, value) in args {
                let argument = Argument::new(grant, args, (name, value), form);
                warnings.extend(bounds::warnings(&argument));
            }
            warnings.extend(self.seen.warnings(grant, args));
        }
        if let Some(document) = &self.document {
            for warning in &mut warnings {
                warning.line = document.line(&warning.path);
            }
        }
        // A grant's own warnings come before those of its arguments.
        warnings.sort_by(|a, b| (a.line, &a.path, a.kind).cmp(&(b.line, &b.path, b.kind)));
        warnings.dedup_by(|a, b| (&a.path, a.kind) == (&b.path, b.kind));
        warnings
    }

    /// The tables of arguments, each with the position of its grant.
    fn arguments(&self) -> impl Iterator<Item = (usize, &BTreeMap<String, Value>)> {
        let grants = match &self.value {
            Value::Object(file) => file.get("grant"),
            _ => None,
        };
        let grants = match grants {
            Some(Value::Array(grants)) => grants.as_slice(),
            _ => &[],
        };
        let tables = grants.iter().enumerate().map(|(index, grant)| match grant {
            Value::Object(grant) => (index, grant.get("args")),
            _ => (index, None),
        });
        tables.filter_map(|(index, args)| match args {
            Some(Value::Object(args)) => Some((index, args)),
            _ => None,
        })
    }
}
