//! Authentication: the checks of a token that need no call.

use std::sync::Arc;

use bailiwick_token::{text::credential, timestamp::Timestamp, token::Token};

use crate::{decision::Deny, denial::Denial, validity, verified::Verified, verifier::Verifier};

/// A token that was valid and not revoked when [`Verifier::authenticate`] was called.
///
/// An edge authenticates before it reads a request's body, so that a stranger causes no more work than the
/// check of a token. An authenticated token allows nothing yet: [`Verifier::decide`] checks trust and time
/// again.
///
/// ```
/// # use bailiwick_token::timestamp::Timestamp;
/// use bailiwick_verifier::{Call, Decision, Verifier};
///
/// # fn read_call() -> Call { Call::new("order:read") }
/// # fn example(verifier: &Verifier, token: &str, now: Timestamp) -> Decision {
/// let token = match verifier.authenticate(token, now) {
///     Ok(token) => token,
///     Err(deny) => return verifier.recorded(Decision::Deny(*deny), None),
/// };
/// let call = read_call(); // only now is the request's body read
/// verifier.decide(token.verified(), &call, now)
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Authenticated(Arc<Verified>);

impl Authenticated {
    /// The verified token, for [`Verifier::decide`].
    #[must_use]
    pub fn verified(&self) -> &Verified {
        &self.0
    }
}

impl Verifier {
    /// Checks everything about a token that does not depend on the call, except its depth: the root key, revocations
    /// and times, and, unless the token is cached, its structure, size and signatures. The result is neither counted
    /// nor recorded; pass a denial to [`Verifier::recorded`] for that.
    ///
    /// # Errors
    /// The denial that applies to every call with this token.
    pub fn authenticate(&self, token: &str, now: Timestamp) -> Result<Authenticated, Box<Deny>> {
        let token = self
            .seen_or_verified(token, now)
            .map_err(|denial| Box::new(Deny::from(denial)))?;
        self.check_trust(&token, now)
            .map_err(|distrust| Box::new(Deny::of(&token.identity, distrust)))?;
        match validity::out_of_time(&token, now) {
            None => Ok(Authenticated(token)),
            Some(deny) => Err(Box::new(deny)),
        }
    }

    pub(crate) fn seen_or_verified(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Denial> {
        let text = credential(token);
        match self.cache.get(text) {
            Some(seen) => Ok(seen),
            None => self.unseen(text, now),
        }
    }

    fn unseen(&self, text: &str, now: Timestamp) -> Result<Arc<Verified>, Denial> {
        // Longer texts are not decoded at all. Base64 takes four characters for three bytes.
        let most = self.limits.token.token_bytes;
        if text.len() > most.div_ceil(3).saturating_mul(4) {
            return Err(Denial::TooLong(most));
        }
        let token = Token::parse(text)?;
        let verified = Arc::new(self.verified(&token, text, now)?);
        self.cache.insert(Arc::clone(&verified));
        Ok(verified)
    }
}
