//! Typed grants: the calls that a token allows, and their arguments.
//!
//! [`Grants`] is a checked list: only [`Grants::new`] and the parsers make one, so its users need not check
//! it again. It is also the scope to which a holder narrows a token.

use std::{collections::BTreeMap, fmt};

pub(crate) mod check;
mod constraint;
mod convert;
mod intersect;
mod print;
mod resource;
mod text;
mod within;

pub use constraint::{Bound, BoundError, Constraint, List, ListError, Listed};
pub use intersect::{Effective, TooManyCombinations};
pub use resource::{is_normal_resource, is_plain_segment};
pub use text::GrantsError;

/// Maximum number of grants in a list: as many as a token of the profile can carry.
pub const MAX_GRANTS: usize = 64;

/// A list of one to [`MAX_GRANTS`] well-formed grants. It allows every call that one of them allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// Checks each grant and converts it to its normal form.
    ///
    /// # Errors
    /// [`GrantsError`], with the path, when the list is empty or too long, or a grant is not well formed.
    pub fn new(grants: impl IntoIterator<Item = Grant>) -> Result<Grants, GrantsError> {
        check::check(grants.into_iter().collect()).map(Grants)
    }

    /// The grants in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Grant> {
        self.0.iter()
    }

    /// Number of grants, at least one.
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
    /// The service's name: the audience of the call.
    pub service: String,
    /// The actions granted.
    pub action: Pattern,
    /// The resources granted. Without a pattern, any resource, and calls that name none.
    pub resource: Option<Pattern>,
    /// The arguments granted. Without a table, any arguments. A table is closed: an argument that it does
    /// not name is denied.
    pub args: Option<BTreeMap<String, Constraint>>,
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
        }
    }

    /// Limits the grant to a resource; a final `*` makes it a prefix.
    #[must_use]
    pub fn resource(mut self, pattern: &str) -> Grant {
        self.resource = Some(Pattern::from(pattern));
        self
    }

    /// Closes the arguments: from now on only those named by [`Grant::arg`] are granted.
    #[must_use]
    pub fn closed(mut self) -> Grant {
        self.args.get_or_insert_default();
        self
    }

    /// Grants an argument under a constraint, and closes the arguments. A member of a nested
    /// object is named by its path, as in `address.city`.
    ///
    /// Besides a [`Constraint`], a value means exactly that value, an array one of its elements, `..=4200` at
    /// most that number, and `..` any value. The text `"*"` is not a wildcard here: it means itself.
    #[must_use]
    pub fn arg(mut self, name: &str, constraint: impl Into<Constraint>) -> Grant {
        self.args
            .get_or_insert_default()
            .insert(name.to_owned(), constraint.into());
        self
    }

    /// The top-level argument names that a closed grant allows.
    pub fn allowed_names(&self) -> Option<impl Iterator<Item = &str>> {
        self.args
            .as_ref()
            .map(|args| args.keys().map(|name| top_level(name)))
    }
}

/// The top-level argument that a path such as `address.city` lies in.
#[must_use]
pub fn top_level(path: &str) -> &str {
    path.split_once('.').map_or(path, |(first, _)| first)
}

/// A name, or all names with a prefix. Its text form marks a prefix by a final `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// This name and no other.
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

    /// The pattern of the names that match both patterns; `None` if no name does.
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
