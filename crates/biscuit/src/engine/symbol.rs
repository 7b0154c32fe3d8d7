//! The numbers of predicates, assigned once for each program.

/// The number of a predicate. Predicates of the same name and different arity have different numbers.
pub(crate) type Relation = u16;

/// A predicate whose facts the host states in each evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Name of the predicate.
    pub name: &'static str,
    /// Number of terms.
    pub arity: u16,
}

/// Maximum number of predicates that a host can state facts of.
pub const MAX_KNOWN: usize = 16;

/// The position of a predicate in the list of [`Known`] ones that its program was compiled with, which is
/// also its number.
pub type KnownPlace = Relation;
