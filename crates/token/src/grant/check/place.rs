//! Places of faults in a list of grants.

use std::fmt;

/// A place in a list of grants: `grant[0].args.amount.max`. The text of a place is built only for an error,
/// because a verifier checks the grants of every token.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) grant: usize,
    pub(super) member: &'a str,
    pub(super) argument: Option<&'a str>,
    pub(super) key: Option<&'a str>,
}

impl Place<'_> {
    pub(super) fn of(grant: usize, member: &str) -> Place<'_> {
        Place {
            grant,
            member,
            argument: None,
            key: None,
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "grant[{}].{}", self.grant, self.member)?;
        let inner = [self.argument, self.key];
        let mut inner = inner.into_iter().flatten();
        inner.try_for_each(|part| write!(f, ".{part}"))
    }
}
