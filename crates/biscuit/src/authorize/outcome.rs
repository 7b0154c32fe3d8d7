//! Outcomes of authorizing a Biscuit, in Rust and in JSON.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    engine::{self, FailedCheck, Matched, Place},
    excerpt::excerpt,
};

/// Maximum length of a message, in bytes. A message may repeat names from a token that has not been verified.
const MAX_MESSAGE: usize = 1024;

/// The outcome of evaluating a service's policies on a token. Everything but [`Outcome::Allow`] is a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An allow policy matched first, and every check held.
    Allow {
        /// Position among the policies, counted from 0.
        policy: usize,
    },
    /// No policy allowed the token, or a check failed.
    Deny {
        /// The policy that matched first, if any did.
        policy: Option<Matched>,
        /// The checks that failed, in the order of evaluation.
        failed: Vec<FailedCheck>,
    },
    /// No decision was reached.
    Error(Error),
}

/// The reason why no decision was reached. The message repeats names from the token, and nothing else of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Kind of error.
    pub kind: ErrorKind,
    /// Description of the fault and of its place.
    pub message: String,
}

/// The kinds of errors. Each displays and serializes as its stable name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The token is not a Biscuit, or is beyond the limits.
    Format,
    /// A signature or the proof does not verify.
    Signature,
    /// A statement cannot be evaluated.
    Rule,
    /// An operation failed, which ends the whole evaluation.
    Execution,
    /// The evaluation needs more fuel or memory than its budget.
    Fuel,
}

/// An outcome, with the ids by which the token can be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The outcome of the evaluation.
    pub outcome: Outcome,
    /// The revocation id of each block, beginning with the authority block; `None` if the container could not
    /// be read. If the outcome is an error, the ids may be unverified.
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
                message: "the evaluation needs more fuel than it may use".to_owned(),
            }),
            engine::Outcome::OutOfMemory => Outcome::Error(Error {
                kind: ErrorKind::Fuel,
                message: "the evaluation needs more memory than it may use".to_owned(),
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
