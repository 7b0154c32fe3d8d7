//! The signatures of a container as a list, each with its key and its message.

use bailiwick_token::{container::Container, token::Proof};
use biscuit_auth::format::schema::SignedBlock;
use ed25519_dalek as ed25519;
use p256::ecdsa;

use super::{
    ThirdParties,
    error::{ChainError, What},
    key::KeyRef,
    payload::{self, Message},
};

/// One signature to verify.
pub(super) struct Link<'a> {
    pub(super) signed: Signed<'a>,
    pub(super) message: Message<'a>,
    pub(super) what: What,
}

/// A signature and the key that it is verified under.
pub(super) enum Signed<'a> {
    Ed25519(&'a ed25519::VerifyingKey, ed25519::Signature),
    Secp256r1(&'a ecdsa::VerifyingKey, ecdsa::Signature),
}

/// The keys of one block.
pub(super) struct Keys<'a> {
    /// The key that signs what follows it.
    pub(super) next: KeyRef<'a>,
    /// The third party that signed it too.
    pub(super) third_party: Option<KeyRef<'a>>,
}

impl<'a> Link<'a> {
    fn new(
        key: KeyRef<'a>,
        message: Message<'a>,
        signature: &[u8],
        what: What,
    ) -> Result<Link<'a>, ChainError> {
        let signed = match key {
            KeyRef::Ed25519(key) => ed25519::Signature::from_slice(signature)
                .map(|read| Signed::Ed25519(key, read))
                .ok(),
            KeyRef::Secp256r1(key) => ecdsa::Signature::from_der(signature)
                .map(|read| Signed::Secp256r1(key, read))
                .ok(),
        };
        Ok(Link {
            signed: signed.ok_or(ChainError::Form(what))?,
            message,
            what,
        })
    }
}

/// The signatures of a container in their order, of which `keys` are those that its blocks name. The
/// proof of an open token is none, and checked here.
pub(super) fn links<'a>(
    container: &'a Container,
    root: KeyRef<'a>,
    keys: impl ExactSizeIterator<Item = Keys<'a>>,
    third_parties: ThirdParties,
) -> Result<Vec<Link<'a>>, ChainError> {
    // Each block has its keys, or something would be left unverified.
    if keys.len() != container.block_count() {
        return Err(ChainError::NoProof);
    }
    let mut links = Vec::with_capacity(keys.len().saturating_add(1));
    let mut signer = root;
    let mut last = None;
    for (index, (block, keys)) in container.signed_blocks().zip(keys).enumerate() {
        let message = payload::block(block, keys.next, last).ok_or(ChainError::Version(index))?;
        links.push(Link::new(
            signer,
            message,
            &block.signature,
            What::Block(index),
        )?);
        if let Some(external) = &block.external_signature {
            let message = third_party(index, block, signer, last, third_parties)?;
            // Whoever gave no key for it reads no such blocks.
            let key = keys
                .third_party
                .ok_or(ChainError::ThirdPartyVersion(index))?;
            links.push(Link::new(
                key,
                message,
                &external.signature,
                What::ThirdParty(index),
            )?);
        }
        (signer, last) = (keys.next, Some(block));
    }
    match (container.proof(), last) {
        (Some(Proof::Open(secret)), _) => signer.owns(secret)?,
        (Some(Proof::Sealed(seal)), Some(last)) => {
            links.push(Link::new(
                signer,
                payload::seal(last, signer),
                seal,
                What::Seal,
            )?);
        }
        _ => return Err(ChainError::NoProof),
    }
    Ok(links)
}

fn third_party<'a>(
    index: usize,
    block: &'a SignedBlock,
    signer: KeyRef<'a>,
    previous: Option<&'a SignedBlock>,
    third_parties: ThirdParties,
) -> Result<Message<'a>, ChainError> {
    let previous = previous.ok_or(ChainError::ThirdPartyAuthority)?;
    if payload::version(block) == 0 && third_parties == ThirdParties::Current {
        return Err(ChainError::ThirdPartyVersion(index));
    }
    payload::third_party(block, signer, previous).ok_or(ChainError::Version(index))
}
