//! The key that `--active` names.

use bailiwick_api::{RootKeyState, RootKeyStatus};
use bailiwick_token::{key::KeyId, timestamp::Timestamp};

use crate::{
    clock,
    exit::{Exit, Failure},
    operations::Operations,
};

/// Time after the revocation of an active key for which `--active` does not name its successor, in seconds. A command
/// that is repeated, by a person or a script, means the key that it revoked.
const REPEATED: u64 = 3_600;

/// Returns the key that signs now.
pub(super) async fn active(issuer: &dyn Operations) -> Result<KeyId, Failure> {
    named(&issuer.keys().await?, clock::now()?)
}

fn named(keys: &[RootKeyStatus], now: Timestamp) -> Result<KeyId, Failure> {
    let active = keys.iter().find(|key| key.state == RootKeyState::Active);
    let Some(active) = active else {
        return Err(Failure::plain(Exit::NotFound, "no root key is active")
            .hint("name a key by its id, which `bailiwick key list` shows"));
    };
    let Some(since) = active.activated_at else {
        return Ok(active.id);
    };
    // The revocation of an active key activates its successor in the same transaction.
    let revoked = keys.iter().find(|key| key.revoked_at == Some(since));
    match revoked {
        Some(revoked) if now.since(since) < REPEATED => Err(Failure::plain(
            Exit::Guarded,
            format!(
                "key `{}` signs since {since}, when the key `{}` was revoked, so a repeated command would revoke its successor",
                active.id, revoked.id
            ),
        )
        .hint(format!(
            "if you mean this key, name it: `bailiwick key revoke {}`",
            active.id
        ))),
        _ => Ok(active.id),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use bailiwick_token::key::PublicKey;
    use ed25519_dalek::SigningKey;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000).unwrap().plus(seconds)
    }

    fn key(id: u32, activated: u64, revoked: Option<u64>) -> RootKeyStatus {
        let public = SigningKey::from_bytes(&[7; 32]).verifying_key();
        RootKeyStatus {
            id: KeyId::from_u32(id),
            public: PublicKey::try_from(public).unwrap(),
            state: match revoked {
                None => RootKeyState::Active,
                Some(_) => RootKeyState::Revoked,
            },
            published_version: 1,
            staged_at: at(0),
            activated_at: Some(at(activated)),
            retiring_at: None,
            retired_at: None,
            revoked_at: revoked.map(at),
            reason: None,
            next_at: None,
        }
    }

    #[test]
    fn a_successor_is_not_meant_for_an_hour() {
        let keys = [key(1, 0, Some(100)), key(2, 100, None)];
        let early = named(&keys, at(100 + 3_599)).unwrap_err();
        assert_eq!(early.code(), Exit::Guarded);
        assert!(early.message().contains("`00000002`"), "{early:?}");
        // A clock that is behind the issuer's.
        assert!(named(&keys, at(0)).is_err());
        assert_eq!(named(&keys, at(100 + 3_600)).unwrap(), KeyId::from_u32(2));
    }

    #[test]
    fn other_revocations_are_no_reason() {
        let keys = [key(1, 0, Some(50)), key(2, 100, None)];
        assert_eq!(named(&keys, at(101)).unwrap(), KeyId::from_u32(2));
        let none = named(&keys[..1], at(101)).unwrap_err();
        assert_eq!(none.code(), Exit::NotFound);
    }
}
