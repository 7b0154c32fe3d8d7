//! Matching of a caller against a profile.

use super::{
    caller::Caller,
    definition::Profile,
    param::Who,
    refusal::{Mismatch, ProfileRefusal},
};

impl Profile {
    /// Checks that this caller may use the profile.
    ///
    /// Only callers without a principal may use a profile without conditions on a principal. Otherwise the
    /// issuer would mint a token on somebody's authority without checking whose.
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
