//! The symbols and keys that blocks refer to by number, and the reasons for refusing a block.

use std::collections::HashSet;

use foldhash::quality::RandomState;

use super::{
    super::{
        Scope, ScopeKey,
        code::{Code, Symbol, is_default},
    },
    error::BlockError,
    version::Feature,
};
use crate::{
    key::Algorithm,
    protobuf::{Field, Fields, Malformed, once},
};

/// The reason for refusing a block. The type is small, because every step of the decoder returns it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The bytes are not protobuf, or not in the form that protobuf writers produce.
    Protobuf,
    TooLarge,
    EmptyFact,
    EmptyKey,
    EmptyOperation,
    EmptyTerm,
    HeadOfCheck,
    KindOfCheck,
    KindOfKey,
    KindOfScope,
    MisnamedFunction,
    MixedSet,
    NestedSet,
    /// The block uses this feature, but declares an older version of Datalog.
    Newer(Feature),
    RepeatedKey,
    RepeatedSymbol,
    UnknownKey,
    UnknownOperation,
    UnknownSymbol,
    VariableInFact,
}

impl Refused {
    pub(super) fn in_block(self, block: usize) -> BlockError {
        // The text is added here and not where the fault is found, to keep the decoder's results small.
        let what = match self {
            Refused::Protobuf => return BlockError::Protobuf { block },
            Refused::TooLarge => return BlockError::TooLarge { block },
            Refused::Newer(feature) => {
                return BlockError::Newer {
                    block,
                    feature: feature.name(),
                    since: feature.since(),
                };
            }
            Refused::EmptyFact => "a fact is empty",
            Refused::EmptyKey => "a map key is empty",
            Refused::EmptyOperation => "an operation is empty",
            Refused::EmptyTerm => "a term is empty",
            Refused::HeadOfCheck => "an alternative of a check has a head with terms",
            Refused::KindOfCheck => "a check is of an unknown kind",
            Refused::KindOfKey => "a public key is of an unknown kind or length",
            Refused::KindOfScope => "a scope is of an unknown kind",
            Refused::MisnamedFunction => {
                "an external call has no function name, or another operation has one"
            }
            Refused::MixedSet => "a set contains terms of several types",
            Refused::NestedSet => "a set contains a variable or a set",
            Refused::RepeatedKey => "it repeats a public key",
            Refused::RepeatedSymbol => "it repeats a symbol",
            Refused::UnknownKey => "it refers to an unknown public key",
            Refused::UnknownOperation => "an operation is unknown",
            Refused::UnknownSymbol => "it refers to an unknown symbol",
            Refused::VariableInFact => "a fact contains a variable",
        };
        BlockError::Malformed { block, what }
    }
}

pub(super) type Read<T> = Result<T, Refused>;

impl From<Malformed> for Refused {
    fn from(_: Malformed) -> Refused {
        Refused::Protobuf
    }
}

/// The symbols and keys that blocks refer to by number.
#[derive(Default)]
pub(super) struct Table<'b> {
    /// The symbols, each with the length of its string.
    pub(super) symbols: Vec<(Symbol, u32)>,
    pub(super) known: HashSet<&'b str, RandomState>,
    pub(super) keys: Vec<ScopeKey>,
    pub(super) known_keys: HashSet<ScopeKey, RandomState>,
}

impl<'b> Table<'b> {
    /// Adds a symbol, and refuses one that the specification defines or that the table already contains.
    ///
    /// biscuit-auth accepts a symbol that a block lists twice, and a string can then compare unequal to itself.
    /// For each block, it also searches all earlier symbols again.
    pub(super) fn add(&mut self, text: &'b str, code: &mut Code) -> Read<()> {
        // A holder chooses the symbols, so a linear search here could be made quadratic. The set's hasher
        // is seeded at random, so collisions cannot be prepared.
        if is_default(text) || !self.known.insert(text) {
            return Err(Refused::RepeatedSymbol);
        }
        // A token is far shorter than 32 bits can count.
        self.symbols
            .push((code.add_symbol(text), text.len() as u32));
        Ok(())
    }

    pub(super) fn add_key(&mut self, bytes: &[u8]) -> Read<ScopeKey> {
        let (mut algorithm, mut key) = (None, None);
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                1 => once(&mut algorithm, field.number()?)?,
                2 => once(&mut key, field.bytes()?)?,
                _ => return Err(Refused::Protobuf),
            }
        }
        let algorithm = algorithm.ok_or(Refused::Protobuf)?;
        // A number beyond 32 bits becomes -1, which is no algorithm either.
        let key = scope_key(
            i32::try_from(algorithm).unwrap_or(-1),
            key.ok_or(Refused::Protobuf)?,
        );
        let key = key.ok_or(Refused::KindOfKey)?;
        // Keys are compared in canonical form, so a compressed point equals the uncompressed one.
        if !self.known_keys.insert(key.clone()) {
            return Err(Refused::RepeatedKey);
        }
        self.keys.push(key.clone());
        Ok(key)
    }
}

/// Reads the only field of a message that holds one of several alternatives.
#[inline]
pub(super) fn one_of<'a>(bytes: &'a [u8], empty: Refused) -> Read<(u64, Field<'a>)> {
    let mut fields = Fields(bytes);
    let only = fields.next()?.ok_or(empty)?;
    // Of two alternatives protobuf keeps the last; another reader might keep the first.
    match fields.0 {
        [] => Ok(only),
        _ => Err(Refused::Protobuf),
    }
}

/// Reads the content of a message that has exactly one field.
pub(super) fn required(bytes: &[u8], wanted: u64, empty: Refused) -> Read<&[u8]> {
    match one_of(bytes, empty)? {
        (number, field) if number == wanted => Ok(field.bytes()?),
        _ => Err(Refused::Protobuf),
    }
}

pub(super) fn scope(bytes: &[u8], table: &Table<'_>) -> Read<Scope> {
    match one_of(bytes, Refused::KindOfScope)? {
        (1, field) => match field.number()? {
            0 => Ok(Scope::Authority),
            1 => Ok(Scope::Previous),
            _ => Err(Refused::KindOfScope),
        },
        (2, field) => {
            // The key must be in the table that the block uses; a third-party block has a table of its own.
            let index = usize::try_from(field.number()?).ok();
            let key = index.and_then(|index| table.keys.get(index));
            let key = key.ok_or(Refused::UnknownKey)?;
            Ok(Scope::PublicKey(key.clone()))
        }
        _ => Err(Refused::Protobuf),
    }
}

pub(super) fn scope_key(algorithm: i32, bytes: &[u8]) -> Option<ScopeKey> {
    // Only the length is checked: such a key is compared with others, and verifies nothing.
    match (algorithm, bytes.len()) {
        (0, 32) => Some(ScopeKey::new(Algorithm::Ed25519, bytes)),
        (1, 33 | 65) => Some(ScopeKey::new(Algorithm::Secp256r1, bytes)),
        _ => None,
    }
}
