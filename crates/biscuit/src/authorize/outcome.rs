//! What came of a Biscuit, in Rust and in JSON.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    engine::{self, FailedCheck, Matched, Place},
    excerpt::excerpt,
};

/// The most bytes of a message: it may repeat names out of a token that nobody vouches for.
const MAX_MESSAGE: usize = 1024;

/// What came of a token under a service's policies. Everything but [`Outcome::Allow`] is a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This allow policy matched first, and every check held.
    Allow {
        /// Its place among the policies.
        policy: usize,
    },
    /// No policy allowed it, or a check failed.
    Deny {
        /// The policy that matched first, where one did.
        policy: Option<Matched>,
        /// The checks that failed, in the order in which they were looked at.
        failed: Vec<FailedCheck>,
    },
    /// There is no decision.
    Error(Error),
}

/// Why there is no decision. It holds no byte of the token but names that it states.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// What is wrong, and where.
    pub message: String,
}

/// What kind of error it is, as its stable name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ErrorKind {
    /// It is no Biscuit, or one beyond the limits.
    Format,
    /// A signature or the proof does not verify.
    Signature,
    /// A statement is none that could be evaluated.
    Rule,
    /// An operation failed, and with it the whole evaluation.
    Execution,
    /// It takes more fuel, or holds more memory, than given.
    Fuel,
}

/// An outcome, and by which ids the token can be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What came of it.
    pub outcome: Outcome,
    /// The revocation id of each block, the authority block's first; `None` where the container
    /// could not be read. Nothing has verified them where the outcome is an error.
    pub revocation_ids: Option<Vec<Vec<u8>>>,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, message: impl fmt::Display) -> Error {
        Error {
            kind,
            message: excerpt(message, MAX_MESSAGE),
        }
    }

    pub(super) fn format(message: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Format, message)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Error {
        let kind = match error.is_rule() {
            true => ErrorKind::Rule,
            false => ErrorKind::Execution,
        };
        Error::new(kind, error)
    }
}

impl From<engine::Outcome> for Outcome {
    fn from(outcome: engine::Outcome) -> Outcome {
        match outcome {
            engine::Outcome::Allow { policy } => Outcome::Allow { policy },
            engine::Outcome::Deny { policy, failed } => Outcome::Deny { policy, failed },
            engine::Outcome::Error(error) => Outcome::Error(error.into()),
            engine::Outcome::OutOfFuel => Outcome::Error(Error {
                kind: ErrorKind::Fuel,
                message: "it takes more fuel than is given".to_owned(),
            }),
            engine::Outcome::OutOfMemory => Outcome::Error(Error {
                kind: ErrorKind::Fuel,
                message: "it holds more memory than is given".to_owned(),
            }),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum PolicyView {
    Allow(usize),
    Deny(usize),
}

#[derive(Serialize)]
#[serde(untagged)]
enum CheckView {
    Block { block: usize, check: usize },
    Authorizer { authorizer: usize },
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.outcome {
            Outcome::Allow { policy } => {
                map.serialize_entry("outcome", "allow")?;
                map.serialize_entry("policy", policy)?;
            }
            Outcome::Deny { policy, failed } => {
                let policy = policy.map(|policy| match policy {
                    Matched::Allow(policy) => PolicyView::Allow(policy),
                    Matched::Deny(policy) => PolicyView::Deny(policy),
                });
                let failed = failed.iter().map(|failed| match failed.place {
                    Place::Block(block) => CheckView::Block {
                        block,
                        check: failed.check,
                    },
                    Place::Authorizer => CheckView::Authorizer {
                        authorizer: failed.check,
                    },
                });
                map.serialize_entry("outcome", "deny")?;
                map.serialize_entry("policy", &policy)?;
                map.serialize_entry("failed_checks", &failed.collect::<Vec<_>>())?;
            }
            Outcome::Error(error) => {
                map.serialize_entry("outcome", "error")?;
                map.serialize_entry("kind", &error.kind)?;
                map.serialize_entry("message", &error.message)?;
            }
        }
        if let Some(ids) = &self.revocation_ids {
            let ids: Vec<String> = ids.iter().map(hex::encode).collect();
            map.serialize_entry("revocation_ids", &ids)?;
        }
        map.end()
    }
}
