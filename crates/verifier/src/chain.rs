//! The chain of signatures, from the root key to the proof.

use bailiwick_token::{key::PublicKey, token::Token};
use biscuit_auth::{Biscuit, builder::Algorithm, error};

use crate::{admit::Refused, decision::Reason};

/// Verifies every signature of an admitted token under `root`, and nothing else.
pub(crate) fn verify(token: &Token, root: &PublicKey) -> Result<Biscuit, Refused> {
    let root =
        biscuit_auth::PublicKey::from_bytes(root.as_bytes(), Algorithm::Ed25519).map_err(|_| {
            (
                Reason::UnknownKey,
                "the keyset's root key cannot be used".to_owned(),
            )
        })?;
    // biscuit-auth asks which key to use; the one that the keyset gave for the hint, and no other.
    Biscuit::from(token.as_bytes(), |_| Ok(root)).map_err(|error| match error {
        error::Token::Format(error::Format::Signature(_) | error::Format::SealedSignature) => (
            Reason::BadSignature,
            "a signature of the token does not verify".to_owned(),
        ),
        _ => (Reason::Malformed, "the token cannot be read".to_owned()),
    })
}
