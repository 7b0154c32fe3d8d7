//! Typed grants: the calls that a token allows, and their arguments.
//!
//! [`Grants`] is a checked list: only [`Grants::new`] and the parsers make one, so its users need not check it
//! again. The same type is the scope to which a holder narrows a token.

use std::{collections::BTreeMap, fmt};

pub(crate) mod check;
mod constraint;
mod convert;
pub mod difference;
mod intersect;
mod mistake;
mod normal;
mod print;
mod resource;
mod table;
mod text;
pub mod warnings;
mod within;
mod words;

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests;

pub use constraint::{Bound, BoundError, Constraint};
pub use intersect::{Effective, TooManyCombinations};
pub use mistake::GrantsError;
pub use resource::{is_normal_resource, is_plain_segment};

pub use crate::value::{List, ListError, Listed};

pub(crate) use table::optional_parts;

use crate::condition::{During, Test};

/// Maximum number of grants in a list, which is also the maximum in a token of the profile.
pub const MAX_GRANTS: usize = 64;

/// A list of one to [`MAX_GRANTS`] well-formed grants. The list allows every call that one of its grants
/// allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// Checks each grant and converts it to its normal form.
    ///
    /// # Errors
    /// [`GrantsError`], with the path, if the list is empty or too long, or a grant is not well formed.
    pub fn new(grants: impl IntoIterator<Item = Grant>) -> Result<Grants, GrantsError> {
        check::check(grants.into_iter().collect()).map(Grants)
    }

    /// Returns the grants in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Grant> {
        self.0.iter()
    }

    /// Number of grants, which is at least one.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a list of grants is never empty"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl IntoIterator for Grants {
    type Item = Grant;
    type IntoIter = std::vec::IntoIter<Grant>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Grants {
    type Item = &'a Grant;
    type IntoIter = std::slice::Iter<'a, Grant>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One grant: an action at a service, optionally limited to a resource and to certain arguments.
///
/// ```
/// use bailiwick_token::grant::{Constraint, Grant, Grants};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let grants = Grants::new([
///     Grant::new("erp", "purchase_order:create")
///         .arg("amount", Constraint::any().min("0.01".parse()?).max("10000".parse()?))
///         .arg("currency", "EUR")
///         .arg("vendor", ["acme", "globex"])
///         .arg("lines", ..=20)
///         .arg("note", ..),
///     Grant::new("crm", "contact:*").resource("eu/*"),
/// ])?;
/// assert_eq!(Grants::from_toml(&grants.to_toml())?, grants);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Name of the service, which is the audience of the call.
    pub service: String,
    /// The actions granted.
    pub action: Pattern,
    /// The resources granted. Without a pattern, the grant covers all resources, and calls without one.
    pub resource: Option<Pattern>,
    /// The arguments granted. Without a table, the grant covers any arguments. A table is closed: arguments
    /// that it does not name are denied.
    pub args: Option<BTreeMap<String, Constraint>>,
    /// The window of time in which calls are granted. Without a window, the grant covers any time.
    pub when: Option<During>,
}

impl Grant {
    /// Grants `action` at `service`, on any resource and with any arguments. A final `*` in
    /// `action` makes it a prefix.
    #[must_use]
    pub fn new(service: &str, action: &str) -> Grant {
        Grant {
            service: service.to_owned(),
            action: Pattern::from(action),
            resource: None,
            args: None,
            when: None,
        }
    }

    /// Limits the grant to a resource. A final `*` in `pattern` makes it a prefix.
    #[must_use]
    pub fn resource(mut self, pattern: &str) -> Grant {
        self.resource = Some(Pattern::from(pattern));
        self
    }

    /// Closes the arguments: only those named by [`Grant::arg`] are granted.
    #[must_use]
    pub fn closed(mut self) -> Grant {
        self.args.get_or_insert_default();
        self
    }

    /// Grants an argument under a constraint, and closes the arguments. A member of a nested
    /// object is named by its path, as in `address.city`.
    ///
    /// Instead of a [`Constraint`], a plain value stands for exactly that value, an array for one of its
    /// elements, `..=4200` for at most that number, and `..` for any value. The text `"*"` is no wildcard here
    /// and stands for itself.
    #[must_use]
    pub fn arg(mut self, name: &str, constraint: impl Into<Constraint>) -> Grant {
        self.args
            .get_or_insert_default()
            .insert(name.to_owned(), constraint.into());
        self
    }

    /// Limits the grant to a window of time that recurs each week.
    #[must_use]
    pub fn when(mut self, window: During) -> Grant {
        self.when = Some(window);
        self
    }

    /// The conditions on arguments that plain Datalog cannot express, in the order in which a token carries them. All
    /// must be met, in addition to the other fields of each [`Constraint`].
    #[must_use]
    pub fn tests(&self) -> Vec<Test> {
        self.args.as_ref().map(table::tests).unwrap_or_default()
    }

    /// The names of the top-level arguments that a closed grant allows; `None` if the grant is not closed.
    pub fn allowed_names(&self) -> Option<impl Iterator<Item = &str>> {
        self.args
            .as_ref()
            .map(|args| args.keys().map(|name| top_level(name)))
    }
}

/// The top-level argument to which a path such as `address.city` belongs.
#[must_use]
pub fn top_level(path: &str) -> &str {
    path.split_once('.').map_or(path, |(first, _)| first)
}

/// A pattern for names: one name, or all names with a prefix. In text, a final `*` marks a prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// Exactly this name.
    Exact(String),
    /// Every name with this prefix.
    Prefix(String),
}

impl Pattern {
    /// Returns true if `name` matches the pattern.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Pattern::Exact(exact) => exact == name,
            Pattern::Prefix(prefix) => name.starts_with(prefix),
        }
    }

    /// Returns true if any name matches both patterns.
    pub(crate) fn overlaps(&self, other: &Pattern) -> bool {
        match (self, other) {
            (Pattern::Prefix(a), Pattern::Prefix(b)) => a.starts_with(b) || b.starts_with(a),
            (Pattern::Exact(name), pattern) | (pattern, Pattern::Exact(name)) => {
                pattern.matches(name)
            }
        }
    }

    /// Returns a pattern for the names that match both patterns; `None` if no name does.
    #[must_use]
    pub fn intersect(&self, other: &Pattern) -> Option<Pattern> {
        match (self, other) {
            (Pattern::Prefix(a), Pattern::Prefix(b)) if b.starts_with(a) => Some(other.clone()),
            (Pattern::Prefix(a), Pattern::Prefix(b)) if a.starts_with(b) => Some(self.clone()),
            (Pattern::Prefix(_), Pattern::Prefix(_)) => None,
            (Pattern::Exact(name), pattern) | (pattern, Pattern::Exact(name)) => {
                pattern.matches(name).then(|| Pattern::Exact(name.clone()))
            }
        }
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Pattern {
        match text.strip_suffix('*') {
            Some(prefix) => Pattern::Prefix(prefix.to_owned()),
            None => Pattern::Exact(text.to_owned()),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Exact(name) => f.write_str(name),
            Pattern::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}
