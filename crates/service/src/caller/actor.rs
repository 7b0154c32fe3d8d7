//! The names of callers in the audit.

/// Returns the actor for a caller of this name. `reused` is true if its assertion can be used more than once.
pub(crate) fn of(name: &str, reused: bool) -> String {
    let by = match reused {
        true => "caller with a reusable assertion",
        false => "caller",
    };
    format!("{by}:{name}")
}

/// Returns all actors that a caller of this name can be.
pub(crate) fn all_of(name: &str) -> Vec<String> {
    [false, true].map(|reused| of(name, reused)).into()
}
