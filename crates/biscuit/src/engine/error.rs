//! Errors of compiling and evaluating Datalog.

use super::origin::Place;

/// An error of compiling or evaluating Datalog. It ends the whole evaluation, regardless of the other
/// statements.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation got operands of types that it does not support.
    #[error("an operation got a value of the wrong type")]
    InvalidType,
    /// A result does not fit a 64-bit integer.
    #[error("integer overflow")]
    Overflow,
    /// An operation divides by zero.
    #[error("division by zero")]
    DivideByZero,
    /// The host has no function of this name.
    #[error("the external function `{0}` does not exist")]
    UndefinedExtern(String),
    /// The host's function failed.
    #[error("the external function `{name}` failed: {message}")]
    Extern {
        /// Name of the function.
        name: String,
        /// Error message of the function.
        message: String,
    },
    /// A regular expression exceeds the limits on its size.
    #[error("a regular expression is too large")]
    Regex,
    /// A statement was found to be faulty before evaluation.
    #[error("{place}: {fault}")]
    Compile {
        /// Place of the statement.
        place: Place,
        /// Fault of the statement.
        fault: Fault,
    },
}

/// The faults that make a statement impossible to evaluate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The head of a rule uses a variable that the predicates of its body do not bind.
    #[error("the head of a rule uses `${0}`, which its body does not bind")]
    UnboundHead(String),
    /// An expression uses a variable that is not bound.
    #[error("an expression uses `${0}`, which nothing binds")]
    UnboundVariable(String),
    /// A parameter of a closure has the name of a variable that is already bound.
    #[error("a closure's parameter `${0}` shadows another variable")]
    ShadowedVariable(String),
    /// An expression does not leave one value on the stack.
    #[error("an expression is malformed, because its operations and values do not match")]
    Stack,
    /// A fact, set, array or map contains a variable.
    #[error("`${0}` is used where only a value is allowed")]
    Variable(String),
    /// A predicate that the host answers has a term that is not a string, or a wrong number of terms, or a statement
    /// states it.
    #[error(
        "the host alone answers `{0}`, and only where all its terms are written out as strings"
    )]
    Answered(String),
    /// The token has more blocks than an origin has bits.
    #[error("the token has more than {} blocks", super::origin::MAX_BLOCKS)]
    Blocks,
    /// A quantity does not fit the 16-bit or 32-bit number that stores it.
    #[error("the statement is too large to compile")]
    TooLarge,
    /// The text is not Datalog.
    #[error("the text is not valid Datalog ({0})")]
    Syntax(String),
}

impl Error {
    /// Returns true if a statement was refused as invalid Datalog, before anything was evaluated.
    #[must_use]
    pub fn is_rule(&self) -> bool {
        // The other faults count as errors of execution, as in the specification's samples.
        matches!(
            self,
            Error::Compile {
                fault: Fault::UnboundHead(_) | Fault::Variable(_) | Fault::Syntax(_),
                ..
            }
        )
    }
}
