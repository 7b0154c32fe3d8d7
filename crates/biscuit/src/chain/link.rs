//! The list of a container's signatures, each with its key and its message.

use ed25519_dalek as ed25519;
use p256::ecdsa;
use sha2::{Digest, Sha256};

use super::{
    error::{ChainError, Signed},
    memo::Memo,
    payload::{self, Message},
    signer_key::SignerKey,
};
use crate::{
    container::{Container, Proof, SignedBlock},
    key::{Key, PublicKey},
};

/// The accepted versions of third parties' signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThirdParties {
    /// Version 1 only, which covers the signature of the previous block.
    Current,
    /// Also version 0, which the specification no longer supports.
    Deprecated,
}

/// One signature to verify, and its claimed signer.
pub(super) struct Link<'a> {
    pub(super) signer: SignerKey<'a>,
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
    /// The digest of key, message and signature. Parts of variable length are preceded by their length, so no
    /// two triples have the same input.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.signer.algorithm());
        self.signer.with_bytes(|key| {
            digest.update(key.len().to_le_bytes());
            digest.update(key);
        });
        digest.update(self.signature.len().to_le_bytes());
        digest.update(self.signature);
        // The message is last, so it needs no length.
        self.message.parts().for_each(|part| digest.update(part));
        digest.finalize().into()
    }

    /// Reads key and signature. Decompressing the key is slow, so links that the memo contains skip this.
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

/// Everything in a container that must verify: its signatures in order, and the proof of an open token.
///
/// Every key that a block names either signs a link or must equal the key derived from the proof, so each key
/// is checked.
pub(super) struct Chain<'a> {
    pub(super) links: Vec<Link<'a>>,
    open: Option<(SignerKey<'a>, &'a [u8])>,
}

impl Chain<'_> {
    /// Checks that the secret in an open token's proof belongs to the last block's key, and returns that key if
    /// it is Ed25519. A sealed token passes, because its seal is one of the links.
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
    let mut signer = SignerKey::Root(root);
    let mut last = None;
    for (index, block) in container.signed_blocks().enumerate() {
        // Each block is signed by the key that the previous block names, and the authority block by the root
        // key. A block that is left out or moved breaks this chain.
        let next = SignerKey::named(index, &block.next_key)?;
        links.push(Link {
            signer,
            signature: &block.signature,
            message: payload::block(block, next, last).ok_or(ChainError::Version(index))?,
            what: Signed::Block(index),
        });
        if let Some(external) = &block.external_signature {
            links.push(Link {
                signer: SignerKey::named(index, &external.public_key)?,
                signature: &external.signature,
                message: third_party(index, block, signer, last, third_parties)?,
                what: Signed::ThirdParty(index),
            });
        }
        (signer, last) = (next, Some(block));
    }
    let open = match (container.proof(), last) {
        (Some(Proof::Open(secret)), _) => Some((signer, secret)),
        // The seal is signed by the last key, whose secret is not in the token: nobody can append to it.
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
    signer: SignerKey<'a>,
    previous: Option<&'a SignedBlock>,
    third_parties: ThirdParties,
) -> Result<Message<'a>, ChainError> {
    // A third party's signature is bound to the previous block, and the authority block has none.
    let previous = previous.ok_or(ChainError::ThirdPartyAuthority)?;
    if payload::version(block) == 0 && third_parties == ThirdParties::Current {
        return Err(ChainError::ThirdPartyVersion(index));
    }
    payload::third_party(block, signer, previous).ok_or(ChainError::Version(index))
}
