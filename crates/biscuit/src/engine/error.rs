//! Why Datalog cannot be evaluated.

use super::origin::Place;

/// An error ends the whole evaluation, whatever else would have held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation met operands that it is not made for.
    #[error("an operation met a value of the wrong type")]
    InvalidType,
    /// A result is no 64-bit integer.
    #[error("integer overflow")]
    Overflow,
    /// Division by zero.
    #[error("division by zero")]
    DivideByZero,
    /// The host has no function of this name.
    #[error("there is no external function `{0}`")]
    UndefinedExtern(String),
    /// The host's function failed.
    #[error("the external function `{name}` failed: {message}")]
    Extern {
        /// Its name.
        name: String,
        /// What it says.
        message: String,
    },
    /// A regular expression is larger than what is compiled.
    #[error("a regular expression is too large")]
    Regex,
    /// Something is wrong before anything is evaluated.
    #[error("{place}: {fault}")]
    Compile {
        /// Where.
        place: Place,
        /// What.
        fault: Fault,
    },
}

/// What makes a statement impossible to evaluate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The head of a rule holds a variable that the predicates of its body do not bind.
    #[error("the head of a rule uses `${0}`, which its body does not bind")]
    UnboundHead(String),
    /// An expression uses a variable that is not bound.
    #[error("an expression uses `${0}`, which nothing binds")]
    UnboundVariable(String),
    /// A parameter of a closure has the name of a variable that is bound already.
    #[error("a closure's parameter `${0}` shadows another variable")]
    ShadowedVariable(String),
    /// An expression does not leave one value on the stack.
    #[error("an expression is malformed: its operations and values do not match")]
    Stack,
    /// A fact, or a set, array or map holds a variable.
    #[error("`${0}` stands where only a value can")]
    Variable(String),
    /// More blocks than an origin can name.
    #[error("the token has more than {} blocks", super::origin::MAX_BLOCKS)]
    Blocks,
    /// More than 32 bits can number.
    #[error("it is too large")]
    TooLarge,
    /// Text that is not Datalog.
    #[error("it is not Datalog: {0}")]
    Syntax(String),
}

impl Error {
    /// Whether a rule was refused as such, before anything was evaluated.
    #[must_use]
    pub fn is_rule(&self) -> bool {
        matches!(
            self,
            Error::Compile {
                fault: Fault::UnboundHead(_) | Fault::Variable(_) | Fault::Syntax(_),
                ..
            }
        )
    }
}
