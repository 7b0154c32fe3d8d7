//! Verification: a token becomes [`Verified`] under the trust in use.

use std::{borrow::Cow, sync::Arc};

use bailiwick_biscuit::{chain, datalog::Code};
use bailiwick_token::{
    datalog::{self, ValidityLimit},
    timestamp::Timestamp,
    token::Token,
};

#[cfg(feature = "refresh")]
use crate::reason::Reason;
use crate::{
    admit::{self, AdmissionError},
    decision::Deny,
    denial::Denial,
    identity::Identity,
    source::TokenText,
    trust::RevocationNames,
    verified::{CompiledConditions, Verified},
    verifier::Verifier,
};

impl Verifier {
    /// Verifies a token's structure, limits and signatures under the trust in use.
    ///
    /// # Errors
    /// The denial that applies to every call with this token.
    pub fn verify(&self, token: &Token, now: Timestamp) -> Result<Verified, Box<Deny>> {
        self.verified(token, &token.to_base64(), now)
            .map_err(|denial| Box::new(denial.into()))
    }

    /// Verifies a token that was read from `text`.
    pub(crate) fn verified(
        &self,
        token: &Token,
        text: &str,
        now: Timestamp,
    ) -> Result<Verified, Denial> {
        let claims = admit::admit(token, &self.limits.token)?;
        // One trust for the whole verification, even if the verifier's trust is replaced meanwhile.
        let trust = self.trust.load();
        let root_key = trust.root_key(token.root_key_id(), now);
        #[cfg(feature = "refresh")]
        // The key may be newer than the keyset, so the refresher is asked to look for a newer keyset now.
        if root_key.is_err_and(|distrust| distrust.reason() == Reason::UnknownKey) {
            self.unknown_key.notify_one();
        }
        let (root_key, root) = root_key?;
        // A keyset vouches for one issuer only. The claim is unverified here; the next step checks its signature.
        if claims.issuer != trust.keyset().issuer {
            return Err(Denial::OtherIssuer);
        }
        chain::verify_remembering(token.container(), &root, &self.memo)?;
        let signatures = signatures(token)?;
        let code = token.code();
        let conditions = CompiledConditions::new(code, &self.policy).map_err(Denial::Datalog)?;
        let validity = validity_limits(code);
        let (mut begins, mut expires) = (claims.not_before, claims.expires);
        for (_, limit) in &validity {
            match limit {
                ValidityLimit::NotBefore(begin) => begins = begins.max(*begin),
                ValidityLimit::Expires(end) => expires = expires.min(*end),
                ValidityLimit::MaxDepth(_) => {}
            }
        }
        let issued_at = claims.issued_at;
        let identity = Identity::new(code, claims);
        Ok(Verified {
            source: TokenText::new(text),
            issued_at,
            begins,
            expires,
            depth: code.blocks.len().saturating_sub(1),
            validity,
            root_key,
            root: *root.as_bytes(),
            names: RevocationNames::new(&identity, &signatures),
            identity: Arc::new(identity),
            conditions,
        })
    }

    /// Compiles the conditions of a token together with this verifier's policy.
    pub(crate) fn conditions<'t>(
        &self,
        token: &'t Verified,
    ) -> Result<Cow<'t, CompiledConditions>, Denial> {
        if token.conditions.are_for(&self.policy) {
            return Ok(Cow::Borrowed(&token.conditions));
        }
        // The text has been read before. If it could not be read again, an empty token would grant nothing.
        let unread = Code::default();
        let read = token.source.token();
        let code = read.as_ref().map_or(&unread, Token::code);
        let conditions = CompiledConditions::new(code, &self.policy).map_err(Denial::Datalog)?;
        Ok(Cow::Owned(conditions))
    }
}

/// The signatures of the blocks, by which revocations refer to blocks.
fn signatures(token: &Token) -> Result<Box<[[u8; 64]]>, AdmissionError> {
    let signatures = token.signed_blocks().enumerate().map(|(index, block)| {
        let signature = block.signature.as_slice().try_into();
        signature.map_err(|_| AdmissionError::Signature(index))
    });
    signatures.collect()
}

/// The limits on time and depth, each with its block, set by checks with a single alternative.
fn validity_limits(code: &Code) -> Box<[(usize, ValidityLimit)]> {
    let blocks = code.blocks.iter().enumerate();
    let limits = blocks.flat_map(|(block, content)| {
        let checks = code.checks(content).iter();
        checks.filter_map(move |check| Some((block, datalog::limit(code, check)?)))
    });
    limits.collect()
}
