//! Profiles, which define the grants that callers may receive.
//!
//! A caller gets the grants of one profile, or nothing. A claim fills a place that the operator left open, and never
//! widens the grants: the claim becomes one typed value, and no text is parsed again. A request that exceeds a
//! profile is refused with the reason, and never trimmed to fit.
//!
//! This module has no store, clock or network. Callers are already authenticated.

mod bounds;
mod caller;
mod definition;
mod error;
mod in_use;
mod matching;
mod mint_request;
mod param;
mod party_match;
mod read;
mod refusal;
mod table;
mod template;
mod text;

use std::collections::{BTreeMap, btree_map::Entry};

pub use bounds::{Rate, Ttl};
pub use caller::{Caller, CallerParty, ClaimSource};
pub use definition::{ParamSummary, Profile, Summary};
pub use error::ProfileError;
pub use in_use::{InUse, ProfileSnapshot};
pub use mint_request::Ask;
pub use param::{ClaimPath, ParamType, Who};
pub use read::{MAX_FILE, ProfileLimits};
pub use refusal::{ErrorCode, Mismatch, ProfileRefusal};

/// Maximum number of profiles in a set.
pub const MAX_PROFILES: usize = 1_000;

/// An immutable set of profiles that was read and checked as a whole.
///
/// ```
/// use bailiwick_issuer::profile::{ProfileLimits, Profiles};
///
/// let file = r#"
///     [[profile]]
///     name = "buyer"
///     match.agent.source = "client"
///     params.client = { claim = "agent.client", type = "string" }
///     token = { agent = "agent:${client}", principal = "team:procurement", ttl.default = "15m", ttl.max = "1h" }
///
///     [[profile.grant]]
///     service = "erp"
///     action = "order:read"
/// "#;
/// let profiles = Profiles::parse(&[("buyer.toml", file)], &ProfileLimits::default())?;
/// assert!(profiles.get("buyer").is_some());
/// # Ok::<(), bailiwick_issuer::profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profiles(BTreeMap<String, Profile>);

impl Profiles {
    /// Reads a set of files, given as names and texts. Checks everything that can be checked without a caller.
    ///
    /// # Errors
    /// [`ProfileError`] for the first profile that is malformed or whose name is taken. The whole set is
    /// then refused.
    pub fn parse<N: AsRef<str>, T: AsRef<str>>(
        files: &[(N, T)],
        limits: &ProfileLimits,
    ) -> Result<Profiles, ProfileError> {
        let (profiles, errors) = Profiles::parse_all(files, limits);
        match errors.into_iter().next() {
            Some(first) => Err(first),
            None => Ok(profiles),
        }
    }

    /// Like [`Profiles::parse`], but continues after an error: returns the usable profiles, and one error for
    /// each of the others.
    pub fn parse_all<N: AsRef<str>, T: AsRef<str>>(
        files: &[(N, T)],
        limits: &ProfileLimits,
    ) -> (Profiles, Vec<ProfileError>) {
        let mut errors = Vec::new();
        let mut all = BTreeMap::new();
        let mut origin: BTreeMap<String, &str> = BTreeMap::new();
        for (file, text) in files {
            let (file, text) = (file.as_ref(), text.as_ref());
            let faults = read::file(text, limits, |profile| {
                if all.len() == MAX_PROFILES {
                    return Err(format!(
                        "there are more than {MAX_PROFILES} profiles; remove some"
                    ));
                }
                match all.entry(profile.name.clone()) {
                    Entry::Occupied(entry) => {
                        let other = origin.get(entry.key()).copied().unwrap_or(file);
                        let name = entry.key();
                        Err(format!(
                            "the name `{name}` belongs to another profile already, in `{other}`; choose another name"
                        ))
                    }
                    Entry::Vacant(entry) => {
                        origin.insert(entry.key().clone(), file);
                        entry.insert(profile);
                        Ok(())
                    }
                }
            });
            errors.extend(faults.into_iter().map(|fault| fault.in_file(file)));
        }
        (Profiles(all), errors)
    }

    /// Returns the profile with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    /// Returns all profiles, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.0.values()
    }

    /// Returns the number of profiles.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are no profiles, so that nobody gets a token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the profiles that this caller may use, sorted by name.
    pub fn matching(&self, caller: &Caller) -> impl Iterator<Item = &Profile> {
        self.iter()
            .filter(|profile| profile.match_caller(caller).is_ok())
    }

    /// Returns the profile for a request: the one that `scope` names, or without a `scope` the only one that
    /// this caller may use.
    ///
    /// # Errors
    /// [`ProfileRefusal`] if there is no such profile, or more than one. The public text does not reveal
    /// whether a profile is missing or not open to this caller.
    pub fn select(&self, scope: Option<&str>, caller: &Caller) -> Result<&Profile, ProfileRefusal> {
        if let Some(scope) = scope {
            let profile = self
                .get(scope)
                .ok_or_else(|| ProfileRefusal::unknown_profile(scope))?;
            profile.match_caller(caller)?;
            return Ok(profile);
        }
        let mut matching = self.matching(caller);
        match (matching.next(), matching.next()) {
            (Some(profile), None) => Ok(profile),
            (None, _) => Err(ProfileRefusal::NoProfile),
            (Some(_), Some(_)) => Err(ProfileRefusal::SeveralProfiles),
        }
    }
}

#[cfg(test)]
mod tests;
