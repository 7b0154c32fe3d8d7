//! Forges Biscuits outside the profile: either algorithm, either version of signatures, third parties.
//!
//! The signed messages are implemented a second time from the specification ("Signature payload"), so that
//! the verifier is not tested against its own reading.

use bailiwick_biscuit::authorize::Key;
use biscuit_auth::{datalog::SymbolTable, format::schema};
use ed25519_dalek::{Signer, SigningKey};
use p256::ecdsa;
use prost::Message;
use schema::proof::Content;

use crate::forge::block;

/// A key pair of either algorithm.
#[derive(Clone)]
pub enum Pair {
    Ed25519(SigningKey),
    P256(ecdsa::SigningKey),
}

impl Pair {
    pub fn ed25519(seed: u8) -> Pair {
        Pair::Ed25519(SigningKey::from_bytes(&[seed; 32]))
    }

    pub fn p256(seed: u8) -> Pair {
        Pair::P256(ecdsa::SigningKey::from_slice(&[seed; 32]).expect("a scalar"))
    }

    pub fn public(&self) -> schema::PublicKey {
        match self {
            Pair::Ed25519(key) => crate::forge::public(key),
            Pair::P256(key) => schema::PublicKey {
                algorithm: 1,
                key: key
                    .verifying_key()
                    .to_encoded_point(true)
                    .as_bytes()
                    .to_vec(),
            },
        }
    }

    pub fn key(&self) -> Key {
        let name = match self {
            Pair::Ed25519(_) => "ed25519",
            Pair::P256(_) => "secp256r1",
        };
        let text = format!("{name}/{}", hex::encode(self.public().key));
        text.parse().expect("a key")
    }

    pub fn secret(&self) -> Vec<u8> {
        match self {
            Pair::Ed25519(key) => key.to_bytes().to_vec(),
            Pair::P256(key) => key.to_bytes().to_vec(),
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Pair::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Pair::P256(key) => {
                let signature: ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
        }
    }
}

/// Converts an ECDSA signature to the other of its two valid forms.
pub fn other_form(signature: &[u8]) -> Vec<u8> {
    let (r, s) = ecdsa::Signature::from_der(signature)
        .expect("a signature")
        .split_scalars();
    let other = ecdsa::Signature::from_scalars(r, -s).expect("a signature");
    other.to_der().as_bytes().to_vec()
}

/// A token under construction, and the keys of its last block.
#[derive(Clone)]
pub struct Foreign {
    pub container: schema::Biscuit,
    pub symbols: SymbolTable,
    pub signer: Pair,
}

impl Foreign {
    /// Starts a token with an authority block of this Datalog, signed by `root`.
    pub fn authority(root: &Pair, code: &str, next: Pair, version: u32) -> Foreign {
        let mut symbols = SymbolTable::new();
        let bytes = block(code, &mut symbols).encode_to_vec();
        let authority = signed(root, bytes, &next, None, None, version);
        let content = Content::NextSecret(next.secret());
        Foreign {
            container: schema::Biscuit {
                root_key_id: None,
                authority,
                blocks: Vec::new(),
                proof: schema::Proof {
                    content: Some(content),
                },
            },
            symbols,
            signer: next,
        }
    }

    /// Appends a block of this Datalog.
    pub fn append(mut self, code: &str, next: Pair, version: u32) -> Foreign {
        let bytes = block(code, &mut self.symbols).encode_to_vec();
        self.append_signed(bytes, None, next, version)
    }

    /// Appends a block of this Datalog that `party` also signs, as the specification says.
    pub fn append_third_party(self, code: &str, party: &Pair, next: Pair, version: u32) -> Foreign {
        let bytes = block(code, &mut SymbolTable::new()).encode_to_vec();
        let external = self.external(&bytes, party, version);
        self.append_signed(bytes, Some(external), next, version)
    }

    /// Appends a block of these bytes, with or without a third party's signature.
    pub fn append_signed(
        mut self,
        bytes: Vec<u8>,
        external: Option<schema::ExternalSignature>,
        next: Pair,
        version: u32,
    ) -> Foreign {
        let previous = self.last().signature.clone();
        let block = signed(
            &self.signer,
            bytes,
            &next,
            Some(&previous),
            external,
            version,
        );
        self.container.blocks.push(block);
        self.container.proof.content = Some(Content::NextSecret(next.secret()));
        self.signer = next;
        self
    }

    /// Makes the third-party signature of `party` over the next block, which will contain these bytes.
    pub fn external(&self, bytes: &[u8], party: &Pair, version: u32) -> schema::ExternalSignature {
        let mut message = Vec::new();
        match version {
            0 => {
                message.extend(bytes);
                message.extend(self.last().next_key.algorithm.to_le_bytes());
                message.extend(&self.last().next_key.key);
            }
            version => {
                message.extend(b"\0EXTERNAL\0\0VERSION\0");
                message.extend(version.to_le_bytes());
                message.extend(b"\0PAYLOAD\0");
                message.extend(bytes);
                message.extend(b"\0PREVSIG\0");
                message.extend(&self.last().signature);
            }
        }
        schema::ExternalSignature {
            signature: party.sign(&message),
            public_key: party.public(),
        }
    }

    pub fn seal(mut self) -> Foreign {
        let last = self.last();
        let message = [
            last.block.as_slice(),
            &last.next_key.algorithm.to_le_bytes(),
            &last.next_key.key,
            &last.signature,
        ]
        .concat();
        self.container.proof.content = Some(Content::FinalSignature(self.signer.sign(&message)));
        self
    }

    /// Applies a change after signing, so that signatures may no longer match.
    pub fn changed(mut self, change: impl FnOnce(&mut schema::Biscuit)) -> Foreign {
        change(&mut self.container);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.container.encode_to_vec()
    }

    pub fn last(&self) -> &schema::SignedBlock {
        let blocks = &self.container.blocks;
        blocks.last().unwrap_or(&self.container.authority)
    }
}

/// Builds a block signed by `signer`. `previous` is the signature of the block before it.
fn signed(
    signer: &Pair,
    block: Vec<u8>,
    next: &Pair,
    previous: Option<&[u8]>,
    external: Option<schema::ExternalSignature>,
    version: u32,
) -> schema::SignedBlock {
    let next_key = next.public();
    let external_bytes = external.as_ref().map(|external| &external.signature);
    let mut message = Vec::new();
    match version {
        0 => {
            message.extend(&block);
            message.extend(external_bytes.into_iter().flatten());
            message.extend(next_key.algorithm.to_le_bytes());
            message.extend(&next_key.key);
        }
        version => {
            message.extend(b"\0BLOCK\0\0VERSION\0");
            message.extend(version.to_le_bytes());
            message.extend(b"\0PAYLOAD\0");
            message.extend(&block);
            message.extend(b"\0ALGORITHM\0");
            message.extend(next_key.algorithm.to_le_bytes());
            message.extend(b"\0NEXTKEY\0");
            message.extend(&next_key.key);
            if let Some(previous) = previous {
                message.extend(b"\0PREVSIG\0");
                message.extend(previous);
            }
            if let Some(external) = external_bytes {
                message.extend(b"\0EXTERNALSIG\0");
                message.extend(external);
            }
        }
    }
    schema::SignedBlock {
        signature: signer.sign(&message),
        block,
        next_key,
        external_signature: external,
        version: (version > 0).then_some(version),
    }
}
