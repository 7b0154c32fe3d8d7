//! The signatures of a container as a list, each with its key and its message.

use ed25519_dalek as ed25519;
use p256::ecdsa;
use sha2::{Digest, Sha256};

use super::{
    error::{ChainError, Signed},
    memo::Memo,
    payload::{self, Message},
    signer::Signer,
};
use crate::{
    container::{Container, Proof, SignedBlock},
    key::{Key, PublicKey},
};

/// The signatures of third parties that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThirdParties {
    /// Those of version 1, which name the signature of the block before.
    Current,
    /// Those of version 0 as well, which the specification no longer supports.
    Deprecated,
}

/// One signature to verify, and who is said to have made it.
pub(super) struct Link<'a> {
    pub(super) signer: Signer<'a>,
    pub(super) signature: &'a [u8],
    pub(super) message: Message<'a>,
    what: Signed,
}

/// A link whose key and signature have been read.
pub(super) struct Readable<'a> {
    pub(super) signed: SignedBy,
    pub(super) message: Message<'a>,
    pub(super) what: Signed,
}

/// A signature and the key that it is verified under.
pub(super) enum SignedBy {
    Ed25519(ed25519::VerifyingKey, ed25519::Signature),
    Secp256r1(ecdsa::VerifyingKey, ecdsa::Signature),
}

impl<'a> Link<'a> {
    /// The digest of key, message and signature. Lengths stand before what varies, so no two triples share a
    /// text.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.signer.algorithm());
        self.signer.with_bytes(|key| {
            digest.update(key.len().to_le_bytes());
            digest.update(key);
        });
        digest.update(self.signature.len().to_le_bytes());
        digest.update(self.signature);
        self.message.parts().for_each(|part| digest.update(part));
        digest.finalize().into()
    }

    /// Reads key and signature. That takes a while, and a link that has verified before needs it not.
    pub(super) fn read(&self, memo: Option<&Memo>) -> Result<Readable<'a>, ChainError> {
        let signed = match self.signer.key(memo)? {
            Key::Ed25519(key) => ed25519::Signature::from_slice(self.signature)
                .map(|read| SignedBy::Ed25519(*key.verifying_key(), read))
                .ok(),
            Key::Secp256r1(key) => ecdsa::Signature::from_der(self.signature)
                .map(|read| SignedBy::Secp256r1(*key.verifying_key(), read))
                .ok(),
        };
        Ok(Readable {
            signed: signed.ok_or(ChainError::Form(self.what))?,
            message: self.message,
            what: self.what,
        })
    }
}

/// The parts of a container that have to hold: its signatures in their order, and of an open token the proof.
///
/// Every key that a block names is the signer of a link, or is equal to the one that the proof makes:
/// none is left unread.
pub(super) struct Chain<'a> {
    pub(super) links: Vec<Link<'a>>,
    open: Option<(Signer<'a>, &'a [u8])>,
}

impl Chain<'_> {
    /// Whether the proof of an open token is that of its last block, whose key it answers where that
    /// is Ed25519. It is no signature.
    pub(super) fn proof(&self) -> Result<Option<PublicKey>, ChainError> {
        self.open
            .map_or(Ok(None), |(signer, secret)| signer.owned_by(secret))
    }
}

pub(super) fn chain<'a>(
    container: &'a Container,
    root: &'a Key,
    third_parties: ThirdParties,
) -> Result<Chain<'a>, ChainError> {
    let mut links = Vec::with_capacity(container.block_count().saturating_add(1));
    let mut signer = Signer::Root(root);
    let mut last = None;
    for (index, block) in container.signed_blocks().enumerate() {
        let next = Signer::named(index, &block.next_key)?;
        links.push(Link {
            signer,
            signature: &block.signature,
            message: payload::block(block, next, last).ok_or(ChainError::Version(index))?,
            what: Signed::Block(index),
        });
        if let Some(external) = &block.external_signature {
            links.push(Link {
                signer: Signer::named(index, &external.public_key)?,
                signature: &external.signature,
                message: third_party(index, block, signer, last, third_parties)?,
                what: Signed::ThirdParty(index),
            });
        }
        (signer, last) = (next, Some(block));
    }
    let open = match (container.proof(), last) {
        (Some(Proof::Open(secret)), _) => Some((signer, secret)),
        (Some(Proof::Sealed(seal)), Some(last)) => {
            links.push(Link {
                signer,
                signature: seal,
                message: payload::seal(last, signer),
                what: Signed::Seal,
            });
            None
        }
        _ => return Err(ChainError::NoProof),
    };
    Ok(Chain { links, open })
}

fn third_party<'a>(
    index: usize,
    block: &'a SignedBlock,
    signer: Signer<'a>,
    previous: Option<&'a SignedBlock>,
    third_parties: ThirdParties,
) -> Result<Message<'a>, ChainError> {
    let previous = previous.ok_or(ChainError::ThirdPartyAuthority)?;
    if payload::version(block) == 0 && third_parties == ThirdParties::Current {
        return Err(ChainError::ThirdPartyVersion(index));
    }
    payload::third_party(block, signer, previous).ok_or(ChainError::Version(index))
}
