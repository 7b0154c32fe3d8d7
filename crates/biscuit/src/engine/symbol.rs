//! Predicates, numbered once for each program.

/// The number of a predicate: its name together with how many terms it has.
pub(crate) type Relation = u16;

/// A predicate whose facts the host states in each evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// The number of its terms.
    pub arity: u16,
}

/// The most predicates that a host can state facts of.
pub const MAX_KNOWN: usize = 16;

/// The place of a predicate in the list of [`Known`] ones that its program was compiled with, which is
/// also its number.
pub type KnownPlace = Relation;
