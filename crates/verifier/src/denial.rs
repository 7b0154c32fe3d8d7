//! Denials as typed values, each with its details.

use bailiwick_biscuit::{
    chain::ChainError, container::ContainerError, datalog::BlockError, engine,
};
use bailiwick_token::token::TokenError;

pub use crate::{
    admit::{AdmissionError, Feature},
    policy::PolicyRefusal,
    trust::Distrust,
};
use crate::{call::CallError, reason::Reason};

/// A denial with its details. `Display` states the reason in words.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// The call carries no token.
    #[error("the call carries no token")]
    MissingToken,
    /// The headers do not contain exactly one token.
    #[error("{0}")]
    Credential(String),
    /// The text is longer than any token within the limit. The limit is in bytes of the decoded container.
    #[error("the token is longer than {0} bytes")]
    TooLong(usize),
    /// The text is not a token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The structure of the token is not admissible.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// The token names an issuer other than the keyset's.
    #[error("the token and the keyset name different issuers")]
    OtherIssuer,
    /// The token is not trusted.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// A signature of the token does not verify.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The token's Datalog cannot be compiled.
    #[error("the token's Datalog is malformed: {0}")]
    Datalog(engine::Error),
    /// The call cannot be read.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The token is not yet valid.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// More blocks are appended than the token allows.
    #[error("more blocks are appended than the token allows")]
    Depth,
    /// No grant covers this service.
    #[error("the token grants nothing at this service")]
    WrongService,
    /// No grant allows the call.
    #[error("no grant allows the call")]
    NoGrant,
    /// An appended block does not allow the call.
    #[error("an appended block does not allow the call")]
    Caveat,
    /// The service's own policy refuses the call.
    #[error("the service's own policy refuses the call: {0}")]
    Policy(PolicyRefusal),
    /// An operation failed, which ended the whole evaluation.
    #[error("evaluating the call failed: {0}")]
    Evaluation(engine::Error),
    /// Deciding takes more than this fuel, in units.
    #[error("deciding this call takes more than {0} units of fuel")]
    OutOfFuel(u64),
    /// Deciding takes more than this memory, in bytes.
    #[error("deciding this call takes more than {0} bytes of memory")]
    OutOfMemory(usize),
}

impl Denial {
    /// The stable reason for the denial.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Denial::MissingToken => Reason::MissingToken,
            Denial::Credential(_) => Reason::Malformed,
            Denial::TooLong(_) => Reason::TooLarge,
            Denial::Token(error) => undecodable(error),
            Denial::Admission(error) => error.reason(),
            Denial::OtherIssuer => Reason::NotProfile,
            Denial::Distrust(distrust) => distrust.reason(),
            Denial::Chain(ChainError::Key(..)) => Reason::Unsupported,
            Denial::Chain(_) => Reason::BadSignature,
            Denial::Call(_) => Reason::BadRequest,
            Denial::NotYetValid => Reason::NotYetValid,
            Denial::Expired => Reason::Expired,
            Denial::Depth => Reason::Depth,
            Denial::WrongService => Reason::WrongService,
            Denial::NoGrant => Reason::NoGrant,
            Denial::Caveat => Reason::Caveat,
            Denial::Policy(_) => Reason::Policy,
            Denial::Datalog(_) | Denial::Evaluation(_) => Reason::EvaluationError,
            Denial::OutOfFuel(_) | Denial::OutOfMemory(_) => Reason::OutOfFuel,
        }
    }
}

fn undecodable(error: &TokenError) -> Reason {
    match error {
        TokenError::Container(ContainerError::TooLarge)
        | TokenError::Block(BlockError::TooLarge { .. }) => Reason::TooLarge,
        TokenError::Block(BlockError::Version { .. }) => Reason::Unsupported,
        _ => Reason::Malformed,
    }
}
