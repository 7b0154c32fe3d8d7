//! Token + trust -> [`Verified`].

use std::{borrow::Cow, fmt, sync::Arc};

use bailiwick_biscuit::{
    chain::{self, ChainError},
    datalog::Code,
    engine::{self, Base, Keep, Program},
};
use bailiwick_token::{
    claims::Claims,
    datalog::{self, Limit, names},
    key::KeyId,
    timestamp::Timestamp,
    token::Token,
};

use crate::{
    admit::{self, Refused},
    decision::{Delegation, Deny, Identity, Reason},
    excerpt::{MAX_NAME, beginning},
    trust::Names,
    verifier::Verifier,
};

/// The most bytes that are kept of a delegate's name and of a task.
const MAX_DESCRIPTION: usize = 256;

/// A token whose structure, limits and signatures have been verified. Only a [`Verifier`] makes one.
///
/// It says nothing yet about a call, nor about now: whether its root key is still trusted and the
/// token not revoked is looked at again for each decision.
#[derive(Clone)]
pub struct Verified {
    pub(crate) program: Program,
    /// What the program was compiled on top of: the policy of the verifier that made it.
    base: Arc<Base>,
    pub(crate) source: Source,
    /// The number of appended blocks.
    pub(crate) depth: usize,
    pub(crate) identity: Arc<Identity>,
    /// When its authority block was made.
    pub(crate) issued_at: Timestamp,
    /// From when on it is in force, the latest begin of all its blocks.
    pub(crate) begins: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) root_key: KeyId,
    /// The bytes of the root key: an id is too short to tell two issuers' keys apart for certain.
    pub(crate) root: [u8; 32],
    /// What it is looked up by among the revocations.
    pub(crate) names: Names,
}

/// The text of a token that was verified. What only people ask for is read out of it again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Source(Arc<str>);

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

    /// About how many bytes of memory it takes, its text included.
    pub(crate) fn size(&self) -> usize {
        [
            size_of::<Verified>(),
            self.program.size(),
            self.source.0.len(),
            self.identity.size(),
            self.names.size(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// To whom the token was handed on with a block, as its writer says: an excerpt, since
    /// explanations repeat it for each condition.
    pub(crate) fn delegate(&self, block: usize) -> Option<String> {
        let mut chain = self.identity.chain.iter();
        let link = chain.find(|link| link.block == block)?;
        let delegate = link.delegate.as_deref();
        delegate.map(|delegate| beginning(delegate, MAX_NAME))
    }
}

impl Verifier {
    /// The program that decides here. A token that another verifier has verified, or this one under
    /// another policy, is compiled anew: what it was compiled with is not what must hold here.
    pub(crate) fn program<'t>(&self, token: &'t Verified) -> Result<Cow<'t, Program>, Refused> {
        if Arc::ptr_eq(&token.base, &self.base) {
            return Ok(Cow::Borrowed(&token.program));
        }
        let read = token.source.token();
        let code = read.as_ref().map(Token::code).ok_or_else(unreadable)?;
        self.base
            .program(code, Keep::Wanted)
            .map(Cow::Owned)
            .map_err(malformed)
    }
}

fn unreadable() -> Refused {
    (
        Reason::EvaluationError,
        "the token cannot be read again".to_owned(),
    )
}

fn malformed(error: engine::Error) -> Refused {
    (
        Reason::EvaluationError,
        format!("the token's Datalog is malformed: {error}"),
    )
}

impl Source {
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.0
    }

    /// The token; `None` never, since it was read before.
    pub(crate) fn token(&self) -> Option<Token> {
        Token::parse(&self.0).ok()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("token_id", &self.identity.token_id)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Verifies a token's structure, limits and signatures under the trust in use.
    ///
    /// # Errors
    /// The denial that every call with this token would meet.
    pub fn verify(&self, token: &Token, now: Timestamp) -> Result<Verified, Box<Deny>> {
        self.verified(token, &token.to_base64(), now)
            .map_err(|(reason, detail)| Box::new(Deny::new(reason, &detail)))
    }

    /// Verifies a token that was read out of `text`.
    pub(crate) fn verified(
        &self,
        token: &Token,
        text: &str,
        now: Timestamp,
    ) -> Result<Verified, Refused> {
        let claims = admit::admit(token, &self.limits.token)?;
        let trust = self.trust.load();
        let root_key = trust.root_key(token.root_key_id(), now);
        #[cfg(feature = "refresh")]
        if matches!(root_key, Err((Reason::UnknownKey, _))) {
            self.unknown_key.notify_one();
        }
        let (root_key, root) = root_key?;
        if claims.issuer != trust.keyset().issuer {
            return Err((
                Reason::NotProfile,
                "the token names another issuer than the keyset".to_owned(),
            ));
        }
        chain::verify_remembering(token.container(), &root, &self.memo)
            .map_err(|error| broken(&error))?;
        let signatures = signatures(token)?;
        let code = token.code();
        let program = self.base.program(code, Keep::Wanted).map_err(malformed)?;
        let (mut begins, mut expires) = (claims.not_before, claims.expires);
        for limit in appended_limits(code) {
            match limit {
                Limit::NotBefore(begin) => begins = begins.max(begin),
                Limit::Expires(end) => expires = expires.min(end),
                Limit::MaxDepth(_) => {}
            }
        }
        let issued_at = claims.issued_at;
        let identity = identity(code, claims);
        Ok(Verified {
            program,
            base: Arc::clone(&self.base),
            source: Source(text.into()),
            depth: code.blocks.len().saturating_sub(1),
            issued_at,
            begins,
            expires,
            root_key,
            root: *root.as_bytes(),
            names: Names::new(&identity, &signatures),
            identity: Arc::new(identity),
        })
    }
}

fn broken(error: &ChainError) -> Refused {
    let reason = match error {
        ChainError::Key(..) => Reason::Unsupported,
        _ => Reason::BadSignature,
    };
    (reason, error.to_string())
}

/// The signatures of the blocks, which name them in revocations.
fn signatures(token: &Token) -> Result<Box<[[u8; 64]]>, Refused> {
    let signatures = token.signed_blocks().map(|block| {
        let signature = block.signature.as_slice().try_into();
        signature.map_err(|_| {
            (
                Reason::Malformed,
                "a signature is not 64 bytes long".to_owned(),
            )
        })
    });
    signatures.collect()
}

/// The limits that appended blocks set in checks of one alternative.
fn appended_limits(code: &Code) -> impl Iterator<Item = Limit> {
    let appended = code.blocks.iter().skip(1);
    let checks = appended.flat_map(|block| code.checks(block));
    checks.filter_map(|check| datalog::limit(code, check))
}

fn identity(code: &Code, claims: Claims) -> Identity {
    let chain = code.blocks.iter().enumerate().skip(1);
    let chain = chain.map(|(index, block)| {
        // A string that one block states can be named by all others, so a short token could name
        // megabytes. No decision rests on these.
        let described = |name| {
            let text = code.described(block, name);
            text.map(|text| beginning(text, MAX_DESCRIPTION))
        };
        Delegation {
            block: index,
            delegate: described(names::DELEGATE),
            task: described(names::TASK),
        }
    });
    Identity {
        token_id: claims.token_id,
        agent: claims.agent,
        principal: claims.principal,
        tenant: claims.tenant,
        claims: claims.claims,
        chain: chain.collect(),
    }
}
