//! A Biscuit's container: the signed blocks, their keys and signatures, and the proof at the end.
//!
//! This module does not interpret the content of a block. Signatures cover the exact bytes of the content, and
//! are always verified before a decision relies on the Datalog in it.

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::protobuf::{Field, Fields, Malformed, once};

/// Maximum size of a container, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// The reason why a text or byte string is not a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// The input is longer than [`MAX_BYTES`].
    #[error("the token is longer than {MAX_BYTES} bytes")]
    TooLarge,
    /// The text is not base64url.
    #[error("the token is not base64url text (RFC 4648 section 5)")]
    Base64,
    /// The bytes are not a Biscuit container (format version 3).
    #[error("the token is not a Biscuit")]
    Format,
}

/// The only encoding of token text: base64url. Padding is written, as biscuit-auth does, and is optional in
/// text that is read.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A container that has been decoded, but not verified.
///
/// `Debug` shows no content: a token is a credential, and an open one carries the secret for appending blocks.
///
/// ```
/// use bailiwick_biscuit::{chain, container::Container, key::{Key, PublicKey}};
///
/// # fn example(text: &str, root: PublicKey) -> Result<(), Box<dyn std::error::Error>> {
/// let container = Container::parse(text)?;
/// chain::verify(&container, &Key::Ed25519(root), chain::ThirdParties::Current)?;
/// println!("{} blocks, all signed", container.block_count());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Container {
    bytes: Zeroizing<Vec<u8>>,
    root_key_id: Option<u32>,
    /// All blocks, beginning with the authority block. There is always at least one.
    blocks: Vec<SignedBlock>,
    proof: Option<Ending>,
}

/// A block as it was signed (`SignedBlock` in the specification's schema).
#[derive(Clone)]
pub struct SignedBlock {
    /// The content of the block.
    pub block: Vec<u8>,
    /// The key that signs the next block or the proof.
    pub next_key: NamedKey,
    /// The signature over the block.
    pub signature: Vec<u8>,
    /// The signature of a third party over the content.
    pub external_signature: Option<ExternalSignature>,
    /// Version of the signatures; absent means 0.
    pub version: Option<u32>,
}

/// A key as a block names it. Its bytes have not been checked.
#[derive(Clone)]
pub struct NamedKey {
    /// Number of the algorithm; see [`Algorithm::from_number`](crate::key::Algorithm::from_number).
    pub algorithm: i32,
    /// The bytes of the key.
    pub key: Vec<u8>,
}

/// The signature of a third party.
#[derive(Clone)]
pub struct ExternalSignature {
    /// The bytes of the signature.
    pub signature: Vec<u8>,
    /// The key that supposedly made the signature.
    pub public_key: NamedKey,
}

/// The proof, as a range of the container's bytes, so that the secret exists in one place only.
#[derive(Clone)]
enum Ending {
    Secret(std::ops::Range<usize>),
    Signature(std::ops::Range<usize>),
}

impl Container {
    /// Reads the binary form (`Biscuit` in the specification's schema) strictly: it refuses anything that
    /// another reader would skip or could read in two ways.
    ///
    /// # Errors
    /// [`ContainerError`] if the bytes are not a container, or exceed [`MAX_BYTES`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Container, ContainerError> {
        // Wrapped first, so that the secret in the bytes is wiped on every return, refusals included.
        let bytes = Zeroizing::new(bytes);
        if bytes.len() > MAX_BYTES {
            return Err(ContainerError::TooLarge);
        }
        let (root_key_id, blocks, proof) =
            container(&bytes).map_err(|Malformed| ContainerError::Format)?;
        Ok(Container {
            bytes,
            root_key_id,
            blocks,
            proof,
        })
    }

    /// Reads the text form: base64url, with or without padding. Surrounding white space is ignored.
    ///
    /// # Errors
    /// [`ContainerError`] if the text is not base64url, not a container, or too long.
    pub fn parse(text: &str) -> Result<Container, ContainerError> {
        let text = text.trim_ascii();
        // The longest text that `MAX_BYTES` bytes can have. Longer text is refused before it is decoded.
        if text.len() > MAX_BYTES.div_ceil(3).saturating_mul(4) {
            return Err(ContainerError::TooLarge);
        }
        let bytes = BASE64.decode(text).map_err(|_| ContainerError::Base64)?;
        Container::from_bytes(bytes)
    }

    /// Returns the text form.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64.encode(self.as_bytes()))
    }

    /// Returns the binary form, exactly as it was read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Id of the root key that signed the token. The id itself is not signed, so it is only a hint.
    #[must_use]
    pub fn root_key_id(&self) -> Option<u32> {
        self.root_key_id
    }

    /// The signed blocks, beginning with the authority block.
    pub fn signed_blocks(&self) -> impl Iterator<Item = &SignedBlock> {
        self.blocks.iter()
    }

    /// Number of blocks, including the authority block.
    #[must_use]
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// The proof that no block follows the last one; `None` if the container has none.
    #[must_use]
    pub fn proof(&self) -> Option<Proof<'_>> {
        // In range by construction: `ending` computed the range from the length of these bytes.
        let at = |range: &std::ops::Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        self.proof.as_ref().map(|proof| match proof {
            Ending::Secret(range) => Proof::Open(at(range)),
            Ending::Signature(range) => Proof::Sealed(at(range)),
        })
    }
}

type Parts = (Option<u32>, Vec<SignedBlock>, Option<Ending>);

fn container(bytes: &[u8]) -> Result<Parts, Malformed> {
    let (mut root_key_id, mut authority, mut proof) = (None, None, None);
    let mut appended = Vec::new();
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => once(&mut root_key_id, field.number32()?)?,
            // Protobuf would merge two authority blocks, and other readers might keep the last.
            2 => once(&mut authority, signed_block(field.bytes()?)?)?,
            3 => appended.push(signed_block(field.bytes()?)?),
            4 => once(
                &mut proof,
                ending(field.bytes()?, bytes.len(), fields.0.len())?,
            )?,
            _ => return Err(Malformed),
        }
    }
    let mut blocks = Vec::with_capacity(appended.len().saturating_add(1));
    // Fields may come in any order. The authority block becomes the first block wherever it was.
    blocks.push(authority.ok_or(Malformed)?);
    blocks.append(&mut appended);
    // A container without a proof can be read, so that verification can say what is missing.
    Ok((root_key_id, blocks, proof.flatten()))
}

fn signed_block(bytes: &[u8]) -> Result<SignedBlock, Malformed> {
    let (mut block, mut next_key, mut signature) = (None, None, None);
    let (mut external_signature, mut version) = (None, None);
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => once(&mut block, field.bytes()?)?,
            2 => once(&mut next_key, named_key(field.bytes()?)?)?,
            3 => once(&mut signature, field.bytes()?)?,
            // An empty message is an error and does not count as absent: the signature must not be ignored.
            4 => once(&mut external_signature, external(field.bytes()?)?)?,
            5 => once(&mut version, field.number32()?)?,
            _ => return Err(Malformed),
        }
    }
    Ok(SignedBlock {
        block: block.ok_or(Malformed)?.to_vec(),
        next_key: next_key.ok_or(Malformed)?,
        signature: signature.ok_or(Malformed)?.to_vec(),
        external_signature,
        version,
    })
}

fn external(bytes: &[u8]) -> Result<ExternalSignature, Malformed> {
    let (mut signature, mut public_key) = (None, None);
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => once(&mut signature, field.bytes()?)?,
            2 => once(&mut public_key, named_key(field.bytes()?)?)?,
            _ => return Err(Malformed),
        }
    }
    Ok(ExternalSignature {
        signature: signature.ok_or(Malformed)?.to_vec(),
        public_key: public_key.ok_or(Malformed)?,
    })
}

fn named_key(bytes: &[u8]) -> Result<NamedKey, Malformed> {
    let (mut algorithm, mut key) = (None, None);
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => once(&mut algorithm, enumerated(field)?)?,
            2 => once(&mut key, field.bytes()?)?,
            _ => return Err(Malformed),
        }
    }
    // An unknown algorithm is no error here: verification of the chain refuses it, and names the block.
    Ok(NamedKey {
        algorithm: algorithm.ok_or(Malformed)?,
        key: key.ok_or(Malformed)?.to_vec(),
    })
}

/// Reads a value of a protobuf enumeration: a 32-bit number, sign-extended to 64 bits.
fn enumerated(field: Field<'_>) -> Result<i32, Malformed> {
    i32::try_from(field.number()?.cast_signed()).map_err(|_| Malformed)
}

/// Reads the proof, and finds where its value lies in the container: the container has `length` bytes, and
/// `behind` of them follow the proof. An empty proof counts as absent.
fn ending(bytes: &[u8], length: usize, behind: usize) -> Result<Option<Ending>, Malformed> {
    let mut fields = Fields(bytes);
    let Some((number, field)) = fields.next()? else {
        return Ok(None);
    };
    // A proof with both a secret and a seal would leave open whether blocks can be appended.
    if !fields.0.is_empty() {
        return Err(Malformed);
    }
    // The value is the last thing in the proof, so it ends where the proof ends.
    let end = length.checked_sub(behind).ok_or(Malformed)?;
    let begin = end.checked_sub(field.bytes()?.len()).ok_or(Malformed)?;
    match number {
        1 => Ok(Some(Ending::Secret(begin..end))),
        2 => Ok(Some(Ending::Signature(begin..end))),
        _ => Err(Malformed),
    }
}

/// The proof at the end of a token. `Debug` shows only its kind.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// The secret half of the last key, with which the holder can append a block.
    Open(&'a [u8]),
    /// The signature that seals the token, after which nobody can append a block.
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
