//! The reasons why a call cannot be decided.

use bailiwick_token::{escape, value::ValueError};

/// The reason why a call cannot be decided. Such a call is denied as `bad_request`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The call is too long.
    #[error("the call is longer than {0} bytes")]
    TooLong(usize),
    /// The call has too many arguments and members.
    #[error("the call has more than {0} arguments and members")]
    TooMany(usize),
    /// The paths to the call's members are too long in total.
    #[error("the paths of the call's members are longer than {0} bytes in all")]
    Paths(usize),
    /// The text does not have the form of a call.
    #[error(
        "the call is not a JSON object with `action` and, if needed, `resource` and `args` ({0})"
    )]
    Shape(String),
    /// The arguments are not an object.
    #[error("the arguments are {0} and not a JSON object")]
    NotAnObject(&'static str),
    /// The arguments cannot be read.
    #[error("the arguments cannot be read ({0})")]
    Arguments(#[from] ValueError),
    /// The name of the action is invalid.
    #[error("the action is empty, or holds a star or a control character")]
    Action,
    /// The resource is not in normal form.
    #[error(
        "the resource is not in normal form; write segments separated by `/`, each with something other than dots and white space before its first `;`, and no `\\`, `%`, `?`, `#` or control character"
    )]
    Resource,
    /// The call cannot be read from the request that carries it.
    #[error("{0}")]
    Unreadable(String),
    /// An argument has a name that no grant could refer to.
    #[error("the argument name {} is empty or holds a dot", escape::code(.0))]
    Name(String),
}
