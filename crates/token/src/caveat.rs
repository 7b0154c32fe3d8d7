//! What a holder narrows a token to.

use crate::{grant::Grants, timestamp::Timestamp};

/// What a holder narrows a token to. Each part that is given narrows it; none can widen it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caveat {
    /// Calls must also be inside one of these grants.
    pub scope: Option<Grants>,
    /// The token also ends at this second.
    pub expires: Option<Timestamp>,
    /// To whom the token is handed on. Descriptive: for people and the audit, decides nothing.
    pub delegate: Option<String>,
    /// What for. Descriptive as well.
    pub task: Option<String>,
}
