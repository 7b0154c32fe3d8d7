//! Matching a profile with a caller.

use super::{
    caller::Caller,
    definition::Profile,
    param::Who,
    refusal::{Mismatch, ProfileRefusal},
};

impl Profile {
    /// Checks that the profile is for this caller.
    ///
    /// A profile without conditions on a principal is for callers without one. Otherwise it would give out
    /// a token on somebody's authority without a check of who that is.
    ///
    /// # Errors
    /// [`ProfileRefusal::NotMatching`] with the reason.
    pub(super) fn match_caller(&self, caller: &Caller) -> Result<(), ProfileRefusal> {
        self.mismatch(caller).map_or(Ok(()), |why| {
            Err(ProfileRefusal::NotMatching {
                profile: self.name.clone(),
                why,
            })
        })
    }

    fn mismatch(&self, caller: &Caller) -> Option<Mismatch> {
        if !caller.agent.is_registered_for(&self.name) {
            return Some(Mismatch::Registration);
        }
        self.agent.mismatch(Who::Agent, &caller.agent).or_else(|| {
            match (&self.principal, &caller.principal) {
                (None, None) => None,
                (None, Some(_)) => Some(Mismatch::Principal),
                (Some(_), None) => Some(Mismatch::NoPrincipal),
                (Some(rule), Some(party)) => rule.mismatch(Who::Principal, party),
            }
        })
    }
}
