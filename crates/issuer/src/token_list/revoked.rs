//! The states of tokens, computed from the revocations and the root keys.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_token::{
    claims::TokenId,
    key::KeyId,
    revocation::{Party, Revocation, Target, Watermark},
    timestamp::Timestamp,
};

use super::TokenState;
use crate::{
    keyring::State,
    mint::TokenInfo,
    store::{StoreError, Tx},
};

/// The revocations that concern some tokens.
#[derive(Default)]
pub(super) struct Revoked {
    tokens: BTreeSet<TokenId>,
    /// For each party, the first second whose tokens are not revoked.
    watermarks: BTreeMap<(Party, String), Timestamp>,
    /// The root keys that are retired or revoked.
    keys: BTreeSet<KeyId>,
}

impl Revoked {
    /// Reads the revocations of these tokens, of their parties and of root keys.
    pub(super) async fn among(tx: &mut Tx, tokens: &[TokenInfo]) -> Result<Revoked, StoreError> {
        let mut targets = BTreeSet::new();
        for token in tokens {
            targets.insert(Target::Token(token.token_id));
            for (party, name) in parties(token) {
                // A watermark is found by its party, whatever its time.
                let watermark = Watermark::new(party, name, token.issued_at);
                targets.extend(watermark.map(Target::Watermark));
            }
        }
        let targets: Vec<Target> = targets.into_iter().collect();
        let mut revoked = Revoked {
            keys: gone_keys(tx).await?,
            ..Revoked::default()
        };
        for Revocation { target, .. } in tx.revocations_of(&targets).await? {
            match target {
                Target::Token(id) => {
                    revoked.tokens.insert(id);
                }
                Target::Watermark(watermark) => {
                    let party = (watermark.party(), watermark.name().to_owned());
                    revoked.watermarks.insert(party, watermark.issued_before());
                }
                Target::Block(_) => {}
            }
        }
        Ok(revoked)
    }

    /// Returns the state of one of these tokens.
    pub(super) fn state(&self, token: &TokenInfo, now: Timestamp) -> TokenState {
        let by_watermark = |(party, name): (Party, &str)| {
            let before = self.watermarks.get(&(party, name.to_owned()));
            before.is_some_and(|before| token.issued_at < *before)
        };
        if self.tokens.contains(&token.token_id) || parties(token).any(by_watermark) {
            TokenState::Revoked
        } else if token.expires <= now {
            TokenState::Expired
        } else if self.keys.contains(&token.key) {
            TokenState::Revoked
        } else {
            TokenState::Live
        }
    }
}

/// The parties by which a watermark covers a token.
fn parties(token: &TokenInfo) -> impl Iterator<Item = (Party, &str)> {
    let tenant = token.tenant.as_deref().map(|name| (Party::Tenant, name));
    let agent = (Party::Agent, token.agent.as_str());
    let principal = (Party::Principal, token.principal.as_str());
    [agent, principal].into_iter().chain(tenant)
}

/// Returns the root keys that are retired or revoked.
async fn gone_keys(tx: &mut Tx) -> Result<BTreeSet<KeyId>, StoreError> {
    let keys = tx.keys().await?;
    let gone = keys
        .iter()
        .filter(|key| matches!(key.state(), State::Retired | State::Revoked));
    Ok(gone.map(|key| key.id()).collect())
}
