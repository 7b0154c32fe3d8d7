//! Refusals by profiles, each with one text for the caller and one for the log.

use std::fmt;

use bailiwick_token::{duration, escape::visible};
use serde::Serialize;

use super::{
    bounds::Ttl,
    caller::ClaimSource,
    param::{ClaimPath, ParamType, Who},
};

/// Maximum number of characters that a refusal repeats of a caller's text.
const SHOWN: usize = 64;

/// The refusal of a request. It contains no value of a claim. `Display` writes the text for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileRefusal {
    /// `scope` names no profile.
    #[error("there is no profile `{0}`")]
    UnknownProfile(String),
    /// `scope` names a profile that this caller may not use.
    #[error("profile `{profile}` does not match this caller, because {why}")]
    NotMatching {
        /// Name of the profile.
        profile: String,
        /// The reason why the caller may not use the profile.
        why: Mismatch,
    },
    /// The request has no `scope`, and this caller may use no profile.
    #[error("no profile matches this caller; ask the operator of the issuer for one")]
    NoProfile,
    /// The request has no `scope`, and this caller may use several profiles.
    #[error("several profiles match this caller; name one of them as `scope`")]
    SeveralProfiles,
    /// A claim is missing, or does not have the type that the profile requires.
    #[error(
        "the parameter `{parameter}` of profile `{profile}` needs the claim `{claim}` as {kind}, but the claim {why}"
    )]
    Claim {
        /// Name of the profile.
        profile: String,
        /// Name of the parameter.
        parameter: String,
        /// The claim that supplies the parameter.
        claim: ClaimPath,
        /// The required type.
        kind: ParamType,
        /// The fault of the claim.
        why: &'static str,
    },
    /// A part of the profile becomes malformed when this caller's claims fill it.
    #[error("`{path}` of profile `{profile}`, filled with the claims of this caller, {why}")]
    Template {
        /// Name of the profile.
        profile: String,
        /// The path of the part.
        path: String,
        /// The fault of that part.
        why: &'static str,
    },
    /// The profile grants nothing for the service.
    #[error(
        "profile `{profile}` grants nothing at the service `{service}`; ask only for services at which it grants something"
    )]
    Service {
        /// Name of the profile.
        profile: String,
        /// Name of the service.
        service: String,
    },
    /// A requested grant is not within one grant of the profile, or cannot be proven to be.
    #[error(
        "the requested `grant[{index}]` is not within a grant that profile `{profile}` gives this caller at these services; ask for less"
    )]
    Outside {
        /// Name of the profile.
        profile: String,
        /// Index of the requested grant, counted from 0.
        index: usize,
    },
    /// The requested lifetime is outside the profile's bounds.
    #[error("profile `{profile}` gives tokens a lifetime of {} to {}, but {} was requested; ask for one in that range", duration::show(.ttl.min), duration::show(.ttl.max), duration::show(*.asked))]
    Ttl {
        /// Name of the profile.
        profile: String,
        /// The bounds of the profile.
        ttl: Ttl,
        /// The requested lifetime, in seconds.
        asked: u64,
    },
    /// The request allows more appended blocks than the profile does.
    #[error(
        "profile `{profile}` allows a depth of at most {max}, but {asked} was requested; ask for a smaller depth"
    )]
    Depth {
        /// Name of the profile.
        profile: String,
        /// The profile's maximum.
        max: u32,
        /// The requested maximum.
        asked: u32,
    },
    /// The task is not a text that a token can contain.
    #[error("the task is not valid; write 1 to 1024 bytes without control characters")]
    Task,
}

/// The reason why a caller may not use a profile. It contains no value of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// Another source vouches for the party.
    Source {
        /// The party with the wrong source.
        who: Who,
        /// The source that must vouch for the party.
        needed: ClaimSource,
    },
    /// The client's registration does not name the profile.
    Registration,
    /// The profile requires a subject token, and the request has none.
    NoPrincipal,
    /// The request has a subject token, but the profile has no conditions on a principal.
    Principal,
    /// A claim is missing or does not meet its condition.
    Claim(ClaimPath),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Source { who, needed } => {
                write!(f, "the {who} does not come from `{needed}`")
            }
            Mismatch::Registration => {
                f.write_str("the registration of the client does not name the profile")
            }
            Mismatch::NoPrincipal => f.write_str("it needs a subject token and none was sent"),
            Mismatch::Principal => f.write_str("it takes no subject token and one was sent"),
            Mismatch::Claim(claim) => {
                write!(f, "the claim `{claim}` is missing or has another value")
            }
        }
    }
}

/// The code of a refusal: an `error` of RFC 6749, section 5.2, or RFC 8693, section 2.2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is malformed or outside the profile's bounds.
    InvalidRequest,
    /// The profile is unknown, not open to this caller, or does not include the requested grants.
    InvalidScope,
    /// The profile grants nothing for the requested service.
    InvalidTarget,
    /// No profile matches this caller.
    UnauthorizedClient,
    /// A profile matches this caller, but a claim that it needs is missing or invalid.
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
                "the scope does not name a profile that this caller may use".to_owned()
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
