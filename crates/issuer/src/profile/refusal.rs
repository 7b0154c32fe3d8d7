//! Refusals by profiles, with one text for the caller and one for the log.

use std::fmt;

use bailiwick_token::{duration, escape::visible};
use serde::Serialize;

use super::{
    bounds::Ttl,
    caller::ClaimSource,
    param::{ClaimPath, ParamType, Who},
};

/// Maximum number of characters of a caller's text that a refusal repeats.
const SHOWN: usize = 64;

/// A request that was refused. It contains no value of a claim. `Display` is the text for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileRefusal {
    /// `scope` names no profile.
    #[error("no profile is named `{0}`")]
    UnknownProfile(String),
    /// `scope` names a profile that is not for this caller.
    #[error("profile `{profile}` is not for this caller: {why}")]
    NotMatching {
        /// The profile.
        profile: String,
        /// The reason.
        why: Mismatch,
    },
    /// The request has no `scope`, and no profile is for this caller.
    #[error("no profile is for this caller")]
    NoProfile,
    /// The request has no `scope`, and several profiles are for this caller.
    #[error("several profiles are for this caller: one has to be named as `scope`")]
    SeveralProfiles,
    /// A claim is missing, or does not have the type that the profile needs.
    #[error(
        "profile `{profile}`: parameter `{parameter}` needs the claim `{claim}` as {kind}, and the claim {why}"
    )]
    Claim {
        /// The profile.
        profile: String,
        /// The parameter.
        parameter: String,
        /// The claim that it is read from.
        claim: ClaimPath,
        /// The type that it must have.
        kind: ParamType,
        /// The fault of the claim.
        why: &'static str,
    },
    /// A part of the profile becomes malformed with the claims of this caller.
    #[error("profile `{profile}`: what this caller's claims make of `{path}` {why}")]
    Template {
        /// The profile.
        profile: String,
        /// The path of the part.
        path: String,
        /// The fault of the part.
        why: &'static str,
    },
    /// The profile grants nothing at the service.
    #[error("profile `{profile}` grants nothing at the service `{service}`")]
    Service {
        /// The profile.
        profile: String,
        /// The service.
        service: String,
    },
    /// A requested grant is not within one grant of the profile, or cannot be shown to be.
    #[error(
        "profile `{profile}`: `grant[{index}]` is not within one grant of the profile, for this caller and these services"
    )]
    Outside {
        /// The profile.
        profile: String,
        /// The index of the requested grant, from 0.
        index: usize,
    },
    /// The requested life is outside the profile's bounds.
    #[error("profile `{profile}`: tokens live {} to {}, and {} was asked for", duration::show(.ttl.min), duration::show(.ttl.max), duration::show(*.asked))]
    Ttl {
        /// The profile.
        profile: String,
        /// The bounds of the profile.
        ttl: Ttl,
        /// The requested life, in seconds.
        asked: u64,
    },
    /// The request is for more blocks than the profile allows.
    #[error("profile `{profile}`: tokens take at most {max} blocks, and {asked} were asked for")]
    Depth {
        /// The profile.
        profile: String,
        /// Maximum number that the profile allows.
        max: u32,
        /// Requested number.
        asked: u32,
    },
    /// The task is not a text that a token can contain.
    #[error("the task has 1 to 1024 bytes and no control characters")]
    Task,
}

/// The reason why a profile is not for a caller. It contains no value of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// Another source vouches for the party.
    Source {
        /// The party.
        who: Who,
        /// The source that must vouch for it.
        needed: ClaimSource,
    },
    /// The client's registration does not name the profile.
    Registration,
    /// The profile needs a subject token, and there is none.
    NoPrincipal,
    /// There is a subject token, and the profile has no conditions on a principal.
    Principal,
    /// A claim is missing or does not meet its condition.
    Claim(ClaimPath),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Source { who, needed } => {
                write!(f, "the source of the {who} is another than `{needed}`")
            }
            Mismatch::Registration => f.write_str("the client's registration does not name it"),
            Mismatch::NoPrincipal => f.write_str("a subject token is needed, and there is none"),
            Mismatch::Principal => f.write_str("it takes no subject token, and there is one"),
            Mismatch::Claim(claim) => {
                write!(
                    f,
                    "the claim `{claim}` is missing, or not what is asked for"
                )
            }
        }
    }
}

/// The code of a refusal: the `error` of RFC 6749, section 5.2, and RFC 8693, section 2.2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is malformed or outside the profile's bounds.
    InvalidRequest,
    /// The profile is unknown, not for this caller, or does not give the requested grants.
    InvalidScope,
    /// The profile grants nothing at this service.
    InvalidTarget,
    /// No profile is for this caller.
    UnauthorizedClient,
    /// The profile is for this caller, but the caller's claims do not suffice.
    AccessDenied,
}

impl ErrorCode {
    /// Returns the code as OAuth writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::InvalidRequest => "invalid_request",
            ErrorCode::InvalidScope => "invalid_scope",
            ErrorCode::InvalidTarget => "invalid_target",
            ErrorCode::UnauthorizedClient => "unauthorized_client",
            ErrorCode::AccessDenied => "access_denied",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ProfileRefusal {
    pub(super) fn unknown_profile(scope: &str) -> ProfileRefusal {
        ProfileRefusal::UnknownProfile(shown(scope))
    }

    pub(super) fn service(profile: &str, service: &str) -> ProfileRefusal {
        ProfileRefusal::Service {
            profile: profile.to_owned(),
            service: shown(service),
        }
    }

    /// Returns the code for the caller.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            ProfileRefusal::UnknownProfile(_)
            | ProfileRefusal::NotMatching { .. }
            | ProfileRefusal::SeveralProfiles
            | ProfileRefusal::Outside { .. } => ErrorCode::InvalidScope,
            ProfileRefusal::NoProfile => ErrorCode::UnauthorizedClient,
            ProfileRefusal::Claim { .. } | ProfileRefusal::Template { .. } => {
                ErrorCode::AccessDenied
            }
            ProfileRefusal::Service { .. } => ErrorCode::InvalidTarget,
            ProfileRefusal::Ttl { .. } | ProfileRefusal::Depth { .. } | ProfileRefusal::Task => {
                ErrorCode::InvalidRequest
            }
        }
    }

    /// Returns the text for the caller, in the characters that RFC 6749 allows in `error_description`.
    #[must_use]
    pub fn public(&self) -> String {
        let text = match self {
            // The same text for both, so that a caller cannot find out which profiles exist.
            ProfileRefusal::UnknownProfile(_) | ProfileRefusal::NotMatching { .. } => {
                "the scope is not one profile that this caller may use".to_owned()
            }
            other => other.to_string(),
        };
        let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        let replaced = text.chars().map(|c| if allowed(c) { c } else { '?' });
        replaced.collect()
    }

    /// Returns the text for the log, on one line.
    #[must_use]
    pub fn log(&self) -> String {
        visible(&self.to_string()).into_owned()
    }
}

fn shown(text: &str) -> String {
    let beginning: String = text.chars().take(SHOWN).collect();
    let rest = if beginning.len() < text.len() {
        "…"
    } else {
        ""
    };
    format!("{}{rest}", visible(&beginning))
}
