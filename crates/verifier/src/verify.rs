//! Token + trust -> [`Verified`].

use std::{collections::BTreeMap, fmt, sync::Arc};

use bailiwick_token::{
    datalog::{Authority, CheckMeaning, describe_check, meaning, names},
    grant::Grant,
    key::{KeyId, PublicKey},
    timestamp::Timestamp,
    token::Token,
};

use crate::{
    admit::{self, Admitted, Refused},
    chain,
    decision::{Delegation, Deny, Identity, Reason},
    engine::{Authorizer, Program},
    explain::shortened,
    verifier::Verifier,
};

/// A token whose structure, limits and signatures have been verified. Only a [`Verifier`] makes one.
///
/// It says nothing yet about a call, nor about now: whether its root key is still trusted and the
/// token not revoked is looked at again for each decision.
#[derive(Clone)]
pub struct Verified {
    pub(crate) program: Arc<Program>,
    /// The number of appended blocks.
    pub(crate) depth: usize,
    /// The checks that the profile has no words for, as Datalog, by block and place.
    pub(crate) opaque: Arc<BTreeMap<(usize, usize), String>>,
    pub(crate) meanings: Arc<[Vec<CheckMeaning>]>,
    pub(crate) grants: Arc<[Option<Grant>]>,
    pub(crate) identity: Identity,
    pub(crate) expires: Timestamp,
    pub(crate) root_key: KeyId,
    pub(crate) root: PublicKey,
    pub(crate) signatures: Vec<Vec<u8>>,
    size: usize,
}

impl Verified {
    /// Who acts, on whose authority.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// When the token ends, the earliest end of all its blocks.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// To whom the token was handed on with a block, as its writer says; shortened, since
    /// explanations repeat it for each condition.
    pub(crate) fn delegate(&self, block: usize) -> Option<String> {
        let mut chain = self.identity.chain.iter();
        let link = chain.find(|link| link.block == block)?;
        link.delegate.as_deref().map(shortened)
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("token_id", &self.identity.token_id)
            .finish_non_exhaustive()
    }
}

/// How many bytes a verified token takes for each byte of its container, at most.
const BYTES_KEPT_PER_BYTE: usize = 16;

impl Verifier {
    /// Verifies a token's structure, limits and signatures under the trust in use.
    ///
    /// # Errors
    /// The denial that every call with this token would meet.
    pub fn verify(&self, token: &Token, now: Timestamp) -> Result<Verified, Box<Deny>> {
        self.verified(token, now)
            .map_err(|(reason, detail)| Box::new(Deny::new(reason, detail)))
    }

    pub(crate) fn verified(&self, token: &Token, now: Timestamp) -> Result<Verified, Refused> {
        let Admitted {
            authority,
            next_keys,
        } = admit::admit(token, &self.limits.token)?;
        let trust = self.trust.load();
        let (root_key, public) = trust.root_key(token.root_key_id(), now)?;
        if authority.claims.issuer != trust.keyset().issuer {
            return Err((
                Reason::NotProfile,
                "the token names another issuer than the keyset".to_owned(),
            ));
        }
        chain::verify(token, &public, &next_keys, &self.memo)?;
        let program =
            Program::compile(token.blocks(), &Authorizer::profile()).map_err(|error| {
                (
                    Reason::EvaluationError,
                    format!("the token's Datalog is malformed: {error}"),
                )
            })?;
        Ok(assemble(token, authority, program, (root_key, public)))
    }
}

fn assemble(
    token: &Token,
    authority: Authority,
    program: Program,
    (root_key, root): (KeyId, PublicKey),
) -> Verified {
    let meanings: Arc<[Vec<CheckMeaning>]> = token
        .blocks()
        .iter()
        .map(|block| block.checks.iter().map(meaning).collect())
        .collect();
    let ends = meanings
        .iter()
        .flatten()
        .filter_map(|meaning| match meaning {
            CheckMeaning::Expires(end) => Some(*end),
            _ => None,
        });
    let expires = ends.fold(authority.claims.expires, Timestamp::min);
    let chain = token
        .blocks()
        .iter()
        .enumerate()
        .skip(1)
        .map(|(index, block)| Delegation {
            block: index,
            delegate: block.described(names::DELEGATE),
            task: block.described(names::TASK),
        });
    let claims = authority.claims;
    Verified {
        program: Arc::new(program),
        depth: token.blocks().len().saturating_sub(1),
        opaque: Arc::new(opaque(token, &meanings)),
        meanings,
        grants: authority.grants.into(),
        identity: Identity {
            token_id: claims.token_id,
            agent: claims.agent,
            principal: claims.principal,
            tenant: claims.tenant,
            claims: claims.claims,
            chain: chain.collect(),
        },
        expires,
        root_key,
        root,
        signatures: token.block_signatures(),
        size: token.as_bytes().len().saturating_mul(BYTES_KEPT_PER_BYTE),
    }
}

/// The most characters that are kept of a check in Datalog; an explanation shows fewer.
const MAX_CHECK: usize = 512;

fn opaque(token: &Token, meanings: &[Vec<CheckMeaning>]) -> BTreeMap<(usize, usize), String> {
    let blocks = token.blocks().iter().zip(meanings).enumerate();
    let checks = blocks.flat_map(|(index, (block, meanings))| {
        let checks = block.checks.iter().zip(meanings).enumerate();
        checks.map(move |(place, (check, meaning))| ((index, place), check, meaning))
    });
    checks
        .filter(|(_, _, meaning)| **meaning == CheckMeaning::Datalog)
        .map(|(at, check, _)| (at, describe_check(check).chars().take(MAX_CHECK).collect()))
        .collect()
}
