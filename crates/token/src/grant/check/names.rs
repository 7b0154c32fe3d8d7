//! The rules for names and patterns.

use super::place::Place;
use crate::grant::{GrantsError, Pattern, resource::could_match};

/// Maximum length of the name of a service, action, resource pattern or argument, in bytes.
const MAX_PART: usize = 1024;

pub(super) fn name(path: Place<'_>, text: &str) -> Result<(), GrantsError> {
    if text.is_empty() {
        return Err(GrantsError::at(path, "the name is empty"));
    }
    if text.contains('*') {
        return Err(GrantsError::at(
            path,
            format!(
                "`{text}` contains a star; use one only at the very end of `action` and `resource`"
            ),
        ));
    }
    characters(path, text)
}

pub(super) fn pattern(path: Place<'_>, pattern: &Pattern) -> Result<(), GrantsError> {
    match pattern {
        Pattern::Exact(text) => name(path, text),
        // A lone star is the empty prefix, which every name has.
        Pattern::Prefix(text) if text.is_empty() => Ok(()),
        Pattern::Prefix(text) => name(path, text),
    }
}

pub(super) fn characters(path: Place<'_>, text: &str) -> Result<(), GrantsError> {
    if text.chars().any(char::is_control) {
        return Err(GrantsError::at(
            path,
            "the name contains a control character",
        ));
    }
    if text.len() > MAX_PART {
        return Err(GrantsError::at(
            path,
            format!("the name is longer than {MAX_PART} bytes"),
        ));
    }
    Ok(())
}

/// Refuses a pattern that no resource in normal form could match.
pub(super) fn resource_form(path: Place<'_>, pattern: &Pattern) -> Result<(), GrantsError> {
    if could_match(pattern) {
        return Ok(());
    }
    Err(GrantsError::at(
        path,
        format!(
            "`{pattern}` matches no resource; write segments separated by `/`, none of them empty, `.` or `..`, without `\\`, `%`, `?` and `#`"
        ),
    ))
}
