//! Profiles: which caller may receive which grants.
//!
//! A caller gets what one profile says, or nothing. A claim fills a place that the operator left
//! open, and never makes it wider: it becomes one typed value there, and no text is read again.
//! What lies outside of a profile is refused with the reason, and never trimmed to fit.
//!
//! Nothing here knows a store, a clock or a network. Who a caller is was established before.

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

/// The most profiles of one set.
pub const MAX_PROFILES: usize = 1_000;

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
        limits: &ProfileLimits,
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
