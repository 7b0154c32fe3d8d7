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

/// Maximum number of predicates for which a host can state facts.
pub const MAX_KNOWN: usize = 16;

/// Position of a predicate in the list of [`Known`] predicates that its program was compiled with. This is also
/// the predicate's number.
pub type KnownPlace = Relation;
