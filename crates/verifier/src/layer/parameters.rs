//! Path and query parameters of one request.

/// Names and values, percent-decoded, in the order of the request.
pub(super) type Pairs = Vec<(String, String)>;

/// The reason why a path parameter cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParameterError {
    #[error("the route has no path parameter `{0}`")]
    Missing(String),
    #[error("the route has two path parameters `{0}`")]
    Twice(String),
    #[error("the path parameter `{0}` contains a slash, but must be one segment of the resource")]
    Slash(String),
}

/// Returns the only path parameter of this name. Nested services can have two, and the handler might act on the
/// other one, so a second one is an error.
pub(super) fn parameter<'a>(path: &'a Pairs, name: &str) -> Result<&'a str, ParameterError> {
    let mut found = path.iter().filter(|(key, _)| key == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Ok(value),
        (None, _) => Err(ParameterError::Missing(name.to_owned())),
        (Some(_), Some(_)) => Err(ParameterError::Twice(name.to_owned())),
    }
}
