//! A holder's narrowing.

use crate::{grant::Grants, timestamp::Timestamp};

/// A holder's narrowing of a token.
///
/// ```
/// use std::time::Duration;
///
/// use bailiwick_token::{caveat::Caveat, grant::{Grant, Grants}, timestamp::Timestamp};
///
/// # fn example(now: Timestamp) -> Result<Caveat, Box<dyn std::error::Error>> {
/// let scope = Grants::new([Grant::new("erp", "purchase_order:read")])?;
/// let caveat = Caveat::new().scope(scope).expires(now + Duration::from_mins(5));
/// # Ok(caveat)
/// # }
/// ```
///
/// Each part that is given narrows it; none can widen it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caveat {
    /// Calls must also be inside one of these grants.
    pub scope: Option<Grants>,
    /// The token also ends at this second.
    pub expires: Option<Timestamp>,
    /// To whom the token is handed on. Descriptive: for people and the audit, decides nothing.
    pub delegate: Option<String>,
    /// The task. Descriptive as well.
    pub task: Option<String>,
}

impl Caveat {
    /// A caveat that narrows nothing yet; [`Token::attenuate`](crate::token::Token::attenuate) refuses it.
    #[must_use]
    pub fn new() -> Caveat {
        Caveat::default()
    }

    /// Narrows to calls that are inside one of these grants, too.
    #[must_use]
    pub fn scope(mut self, grants: Grants) -> Caveat {
        self.scope = Some(grants);
        self
    }

    /// Ends the token at this second, if not earlier.
    #[must_use]
    pub fn expires(mut self, end: Timestamp) -> Caveat {
        self.expires = Some(end);
        self
    }

    /// Names whom the token is handed on to. Descriptive.
    #[must_use]
    pub fn delegate(mut self, name: impl Into<String>) -> Caveat {
        self.delegate = Some(name.into());
        self
    }

    /// Names the purpose. Descriptive.
    #[must_use]
    pub fn task(mut self, task: impl Into<String>) -> Caveat {
        self.task = Some(task.into());
        self
    }
}
