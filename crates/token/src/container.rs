//! A Biscuit's container: the signed blocks, their keys and signatures, and the proof at the end.
//!
//! What stands inside a block is not looked at here: whoever verifies signatures does so on these
//! bytes, before anything reads the Datalog that they sign.

use std::fmt;

use biscuit_auth::format::schema;
use prost::Message;
use zeroize::{Zeroize, Zeroizing};

use crate::token::{MAX_DECODED_BYTES, TokenError};

/// A container that has been decoded. Nothing of it has been verified.
///
/// `Debug` shows none of it: an open token carries the secret to append to it, and all of it is a
/// credential.
#[derive(Clone)]
pub struct Container {
    bytes: Zeroizing<Vec<u8>>,
    message: schema::Biscuit,
}

impl Container {
    /// Reads the binary form.
    ///
    /// # Errors
    /// When it is no container, or too long.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Container, TokenError> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() > MAX_DECODED_BYTES {
            return Err(TokenError::TooLarge);
        }
        let message =
            schema::Biscuit::decode(bytes.as_slice()).map_err(|_| TokenError::Container)?;
        Ok(Container { bytes, message })
    }

    /// The binary form, exactly as it was read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The unsigned hint which root key signed it.
    #[must_use]
    pub fn root_key_id(&self) -> Option<u32> {
        self.message.root_key_id
    }

    /// The blocks as they were signed, the authority block first.
    pub fn signed_blocks(&self) -> impl Iterator<Item = &schema::SignedBlock> {
        std::iter::once(&self.message.authority).chain(&self.message.blocks)
    }

    /// How many blocks there are, the authority block included.
    #[must_use]
    pub fn block_count(&self) -> usize {
        self.message.blocks.len().saturating_add(1)
    }

    /// What proves that the last block is the last; `None` where the container has none.
    #[must_use]
    pub fn proof(&self) -> Option<Proof<'_>> {
        self.message
            .proof
            .content
            .as_ref()
            .map(|content| match content {
                schema::proof::Content::NextSecret(secret) => Proof::Open(secret),
                schema::proof::Content::FinalSignature(signature) => Proof::Sealed(signature),
            })
    }

    pub(crate) fn message(&self) -> &schema::Biscuit {
        &self.message
    }
}

/// What a token ends with. `Debug` tells which, and no more.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// The secret half of the last key, with which its holder appends.
    Open(&'a [u8]),
    /// The signature of the last block, after which nobody can.
    Sealed(&'a [u8]),
}

impl fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Proof::Open(_) => "Open(..)",
            Proof::Sealed(_) => "Sealed(..)",
        })
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container").finish_non_exhaustive()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Some(schema::proof::Content::NextSecret(secret)) = &mut self.message.proof.content {
            secret.zeroize();
        }
    }
}
