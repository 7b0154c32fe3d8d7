//! The definition of a profile, and the summary of one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    bounds::{Rate, Ttl},
    caller::ClaimSource,
    param::{Param, ParamType},
    party_match::PartyMatch,
    template::Template,
    text::Text,
};

/// A profile: the callers that may use it, and the tokens that it provides.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) agent: PartyMatch,
    pub(super) principal: Option<PartyMatch>,
    pub(super) params: BTreeMap<String, Param>,
    pub(super) token: TokenTemplate,
    pub(super) grants: Template,
}

/// The claims and limits of a profile's tokens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TokenTemplate {
    pub(super) agent: Text,
    pub(super) principal: Text,
    pub(super) tenant: Option<Text>,
    pub(super) claims: BTreeMap<String, Text>,
    pub(super) ttl: Ttl,
    pub(super) max_depth: Option<u32>,
    pub(super) rate: Option<Rate>,
}

impl Profile {
    /// Returns the profile's name, which requests state as `scope`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns a description of the profile's purpose.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Returns the lifetime of the profile's tokens.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        self.token.ttl
    }

    /// Returns the rate at which one caller may use the profile.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        self.token.rate
    }

    /// Returns the profile's summary, for lists.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let params = self.params.iter().map(|(name, param)| ParamSummary {
            name: name.clone(),
            claim: param.claim.to_string(),
            kind: param.kind,
        });
        Summary {
            name: self.name.clone(),
            description: self.description().map(str::to_owned),
            agent: self.agent.source().clone(),
            principal: self.principal.as_ref().map(|it| it.source().clone()),
            params: params.collect(),
            services: self
                .grants
                .services()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            ttl: self.token.ttl,
            max_depth: self.token.max_depth,
            rate: self.token.rate,
        }
    }
}

/// The summary of a profile. It reveals nothing about any caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Name of the profile.
    pub name: String,
    /// Purpose of the profile, in words.
    pub description: Option<String>,
    /// The source that vouches for the agent.
    pub agent: ClaimSource,
    /// The source that vouches for the principal; absent if the profile excludes a principal.
    pub principal: Option<ClaimSource>,
    /// The parameters that the profile reads from claims.
    pub params: Vec<ParamSummary>,
    /// The services for which the profile has grants.
    pub services: BTreeSet<String>,
    /// The lifetime of the profile's tokens.
    pub ttl: Ttl,
    /// Maximum number of blocks that holders may append; absent if unlimited.
    pub max_depth: Option<u32>,
    /// The rate at which one caller may use the profile.
    pub rate: Option<Rate>,
}

/// A parameter of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ParamSummary {
    /// Name of the parameter.
    pub name: String,
    /// The claim that supplies the value.
    pub claim: String,
    /// The type that the claim must have.
    #[serde(rename = "type")]
    pub kind: ParamType,
}
