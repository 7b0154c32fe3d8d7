//! Caveats: the restrictions that a holder adds to a token.

use crate::{grant::Grants, timestamp::Timestamp};

/// A restriction that a holder adds to a token.
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
/// Each part that is set narrows the token; no part can widen it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caveat {
    /// Grants, one of which must also allow each call.
    pub scope: Option<Grants>,
    /// Time from which the token is expired. An earlier expiry of the token still applies.
    pub expires: Option<Timestamp>,
    /// The party to which the token is passed on. This is descriptive, for people and the audit log only.
    pub delegate: Option<String>,
    /// The purpose of the narrowing. This is descriptive too.
    pub task: Option<String>,
}

impl Caveat {
    /// Makes a caveat that restricts nothing yet. [`Token::attenuate`](crate::token::Token::attenuate) refuses
    /// such a caveat.
    #[must_use]
    pub fn new() -> Caveat {
        Caveat::default()
    }

    /// Requires that one of these grants also allows each call.
    #[must_use]
    pub fn scope(mut self, grants: Grants) -> Caveat {
        self.scope = Some(grants);
        self
    }

    /// Makes the token expire at this second, if it does not expire earlier.
    #[must_use]
    pub fn expires(mut self, end: Timestamp) -> Caveat {
        self.expires = Some(end);
        self
    }

    /// Names the party to which the token is passed on. This is descriptive only.
    #[must_use]
    pub fn delegate(mut self, name: impl Into<String>) -> Caveat {
        self.delegate = Some(name.into());
        self
    }

    /// Names the purpose. This is descriptive only.
    #[must_use]
    pub fn task(mut self, task: impl Into<String>) -> Caveat {
        self.task = Some(task.into());
        self
    }
}
