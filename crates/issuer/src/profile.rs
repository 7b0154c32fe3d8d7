//! Profiles: which caller may receive which grants.
//!
//! A caller gets what one profile says, or nothing. A claim fills a place that the operator left
//! open, and never makes it wider: it becomes one typed value there, and no text is read again.
//! What lies outside of a profile is refused with the reason, and never trimmed to fit.
//!
//! Nothing here knows a store, a clock or a network. Who a caller is was established before.

mod caller;
mod error;
mod in_use;
mod issue;
mod matching;
mod param;
mod read;
mod refusal;
mod table;
mod template;
mod text;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde::{Deserialize, Serialize};

use self::{matching::PartyMatch, param::Param, template::Template, text::Text};

pub use caller::{Caller, Party, Source};
pub use error::ProfileError;
pub use in_use::{InUse, Snapshot};
pub use issue::Ask;
pub use matching::Mismatch;
pub use param::{ClaimPath, ParamType, Who};
pub use refusal::{ErrorCode, Refusal};

/// The most profiles of one set.
pub const MAX_PROFILES: usize = 1_000;

/// The longest text of one file, in bytes.
pub const MAX_FILE: usize = 1 << 20;

/// What is known of the issuer that the profiles are for. What is not known is not checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// The longest life of a token, in seconds.
    pub max_token_ttl: Option<u64>,
    /// The names of the configured identity providers.
    pub providers: Option<BTreeSet<String>>,
}

/// A set of profiles that was read and checked as a whole. It does not change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profiles(BTreeMap<String, Profile>);

impl Profiles {
    /// Reads a set of files, given as name and text. All that can be checked without a caller is.
    ///
    /// # Errors
    /// Anything but well-formed profiles of different names refuses the set; the error says where.
    pub fn parse<N: AsRef<str>, T: AsRef<str>>(
        files: &[(N, T)],
        limits: &Limits,
    ) -> Result<Profiles, ProfileError> {
        let mut all = BTreeMap::new();
        let mut origin: BTreeMap<String, &str> = BTreeMap::new();
        for (file, text) in files {
            let (file, text) = (file.as_ref(), text.as_ref());
            read::file(text, limits, |profile| {
                if all.len() == MAX_PROFILES {
                    return Err(format!("there are more than {MAX_PROFILES} profiles"));
                }
                match all.entry(profile.name.clone()) {
                    Entry::Occupied(entry) => {
                        let other = origin.get(entry.key()).copied().unwrap_or(file);
                        let name = entry.key();
                        Err(format!("`{name}` is another profile's name, in `{other}`"))
                    }
                    Entry::Vacant(entry) => {
                        origin.insert(entry.key().clone(), file);
                        entry.insert(profile);
                        Ok(())
                    }
                }
            })
            .map_err(|error| error.in_file(file))?;
        }
        Ok(Profiles(all))
    }

    /// The profile of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    /// All profiles, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.0.values()
    }

    /// How many profiles there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none, so that nobody gets anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The profiles that this caller may use, by name.
    pub fn matching(&self, caller: &Caller) -> impl Iterator<Item = &Profile> {
        self.iter()
            .filter(|profile| profile.match_caller(caller).is_ok())
    }

    /// The one profile for a request: the one that `scope` names, or without it the only one that
    /// this caller may use.
    ///
    /// # Errors
    /// When it is not one. What the caller is told does not tell a profile that does not exist from
    /// one that is not for this caller.
    pub fn select(&self, scope: Option<&str>, caller: &Caller) -> Result<&Profile, Refusal> {
        if let Some(scope) = scope {
            let profile = self
                .get(scope)
                .ok_or_else(|| Refusal::unknown_profile(scope))?;
            profile.match_caller(caller)?;
            return Ok(profile);
        }
        let mut matching = self.matching(caller);
        match (matching.next(), matching.next()) {
            (Some(profile), None) => Ok(profile),
            (None, _) => Err(Refusal::NoProfile),
            (Some(_), Some(_)) => Err(Refusal::SeveralProfiles),
        }
    }
}

/// One profile: who it is for, and what it gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    name: String,
    description: Option<String>,
    agent: PartyMatch,
    principal: Option<PartyMatch>,
    params: BTreeMap<String, Param>,
    token: TokenForm,
    grants: Template,
}

/// What its tokens say besides grants.
#[derive(Debug, Clone, PartialEq)]
struct TokenForm {
    agent: Text,
    principal: Text,
    tenant: Option<Text>,
    claims: BTreeMap<String, Text>,
    ttl: Ttl,
    max_depth: Option<u32>,
    rate: Option<Rate>,
}

/// How long a token of a profile lives, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ttl {
    /// At least so long.
    pub min: u64,
    /// So long, where nothing is asked for.
    pub default: u64,
    /// At most so long.
    pub max: u64,
}

/// How often one caller may use a profile. The service that answers callers holds them to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// So many requests a minute in the long run.
    pub per_minute: u32,
    /// So many at once.
    pub burst: u32,
}

impl Profile {
    /// Its name, which `scope` gives.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in words.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// How long its tokens live.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        self.token.ttl
    }

    /// How often one caller may use it.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        self.token.rate
    }

    /// What it is, for a list.
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

/// What a profile is. It holds nothing of any caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Who vouches for the agent.
    pub agent: Source,
    /// Who vouches for the principal; absent where there must be none.
    pub principal: Option<Source>,
    /// What it takes from claims.
    pub params: Vec<ParamSummary>,
    /// The services that it grants anything at.
    pub services: BTreeSet<String>,
    /// How long its tokens live.
    pub ttl: Ttl,
    /// How many blocks may be appended, where that is limited.
    pub max_depth: Option<u32>,
    /// How often one caller may use it.
    pub rate: Option<Rate>,
}

/// A parameter of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ParamSummary {
    /// Its name.
    pub name: String,
    /// The claim that it is read from.
    pub claim: String,
    /// What it has to be.
    #[serde(rename = "type")]
    pub kind: ParamType,
}

#[cfg(test)]
mod tests;
