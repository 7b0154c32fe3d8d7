//! Forges tokens at the level of protobuf: any content, validly signed.
//!
//! Builders refuse content that a hostile holder would write. The forge signs anything, with the payloads of
//! the Biscuit specification (versions 0 and 1).

use bailiwick_token::token::Token;
use base64::{Engine, engine::general_purpose::URL_SAFE};
use biscuit_auth::{
    builder::{BlockBuilder, Convert},
    datalog::SymbolTable,
    format::{convert, schema},
};
use ed25519_dalek::{Signer, SigningKey};
use prost::Message;

use crate::Root;

/// An authority block as an issuer writes it, one statement per line.
pub const AUTHORITY: &str = r#"
profile("bailiwick/1");
issuer("https://issuer.example");
token_id(hex:000102030405060708090a0b0c0d0e0f);
agent("agent:orchestrator");
principal("team:procurement");
issued_at(2026-11-23T11:59:00Z);
check if time($t), $t >= 2026-11-23T11:58:00Z;
check if time($t), $t < 2026-11-23T12:15:00Z;
grant("order") <- service("erp"), action("order");
"#;

/// The authority block without the statements that begin with this text.
pub fn authority_without(beginning: &str) -> String {
    let kept = AUTHORITY
        .lines()
        .filter(|line| !line.starts_with(beginning));
    kept.map(|line| format!("{line}\n")).collect()
}

/// A token under construction, and the secret of its last block.
#[derive(Clone)]
pub struct Forge {
    pub container: schema::Biscuit,
    pub symbols: SymbolTable,
    next: SigningKey,
    /// The seed of the authority block's next key. The seeds of later blocks count up from it.
    pub seed: u8,
}

/// The seed of tokens that share their keys.
const SEED: u8 = 100;

impl Forge {
    /// Starts a token with [`AUTHORITY`], signed by `root`.
    pub fn honest(root: &Root) -> Forge {
        Forge::authority(root, AUTHORITY)
    }

    /// Starts a token with an authority block of this Datalog, signed by `root`.
    pub fn authority(root: &Root, code: &str) -> Forge {
        let mut symbols = SymbolTable::new();
        let block = block(code, &mut symbols);
        let mut forge = Forge::authority_bytes(root, block.encode_to_vec());
        forge.symbols = symbols;
        forge
    }

    /// Starts a token with an authority block of these bytes, signed by `root`.
    pub fn authority_bytes(root: &Root, bytes: Vec<u8>) -> Forge {
        Forge::authority_signed(root, bytes, Some(1), SEED)
    }

    /// Makes a token with the same blocks but keys from fixed seeds, so that it is the same on every run. Use different
    /// seeds for tokens whose blocks must not fit into one another.
    pub fn copy(root: &Root, token: &Token, seed: u8) -> Forge {
        let mut blocks = token.signed_blocks();
        let first = blocks.next().expect("an authority block");
        let start = Forge::authority_signed(root, first.block.clone(), first.version, seed);
        let mut copy = blocks.fold(start, |forge, block| {
            forge.append_signed(block.block.clone(), block.version)
        });
        for block in token.signed_blocks() {
            let block = schema::Block::decode(block.block.as_slice()).expect("a block");
            for symbol in &block.symbols {
                copy.symbols.insert(symbol);
            }
        }
        match token.is_sealed() {
            true => copy.seal(),
            false => copy,
        }
    }

    fn authority_signed(root: &Root, bytes: Vec<u8>, version: Option<u32>, seed: u8) -> Forge {
        let next = SigningKey::from_bytes(&[seed; 32]);
        let authority = signed(&root.key, bytes, public(&next), None, version);
        let content = schema::proof::Content::NextSecret(next.to_bytes().to_vec());
        let container = schema::Biscuit {
            root_key_id: Some(root.key_id().as_u32()),
            authority,
            blocks: Vec::new(),
            proof: schema::Proof {
                content: Some(content),
            },
        };
        Forge {
            container,
            symbols: SymbolTable::new(),
            next,
            seed,
        }
    }

    /// Appends a block of this Datalog.
    pub fn append(mut self, code: &str) -> Forge {
        let block = block(code, &mut self.symbols);
        self.append_bytes(block.encode_to_vec())
    }

    /// Appends a block of this Datalog, changed before it is signed.
    pub fn append_changed(mut self, code: &str, change: impl FnOnce(&mut schema::Block)) -> Forge {
        let mut block = block(code, &mut self.symbols);
        change(&mut block);
        self.append_bytes(block.encode_to_vec())
    }

    /// Appends a block of these bytes.
    pub fn append_bytes(self, bytes: Vec<u8>) -> Forge {
        self.append_signed(bytes, Some(1))
    }

    /// Appends a block of these bytes, with a signature of this version.
    pub fn append_signed(mut self, bytes: Vec<u8>, version: Option<u32>) -> Forge {
        let seed = self.seed + 1 + u8::try_from(self.container.blocks.len()).expect("few blocks");
        let next = SigningKey::from_bytes(&[seed; 32]);
        let block = signed(
            &self.next,
            bytes,
            public(&next),
            Some(&self.last().signature),
            version,
        );
        self.container.blocks.push(block);
        self.container.proof.content =
            Some(schema::proof::Content::NextSecret(next.to_bytes().to_vec()));
        self.next = next;
        self
    }

    /// Appends a block of this Datalog whose next key is `key`, and leaves the proof unchanged.
    pub fn append_with_key(mut self, code: &str, key: schema::PublicKey) -> Forge {
        let bytes = block(code, &mut self.symbols).encode_to_vec();
        let block = signed(
            &self.next,
            bytes,
            key,
            Some(&self.last().signature),
            Some(1),
        );
        self.container.blocks.push(block);
        self
    }

    /// Seals the token.
    pub fn seal(mut self) -> Forge {
        let last = self.last();
        let mut message = last.block.clone();
        message.extend(last.next_key.algorithm.to_le_bytes());
        message.extend(&last.next_key.key);
        message.extend(&last.signature);
        let signature = self.next.sign(&message).to_bytes().to_vec();
        self.container.proof.content = Some(schema::proof::Content::FinalSignature(signature));
        self
    }

    /// Applies a change after signing, so that signatures may no longer match.
    pub fn changed(mut self, change: impl FnOnce(&mut schema::Biscuit)) -> Forge {
        change(&mut self.container);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.container.encode_to_vec()
    }

    pub fn text(&self) -> String {
        text(&self.bytes())
    }

    fn last(&self) -> &schema::SignedBlock {
        self.container
            .blocks
            .last()
            .unwrap_or(&self.container.authority)
    }
}

/// The text form of a token's bytes.
pub fn text(bytes: &[u8]) -> String {
    URL_SAFE.encode(bytes)
}

/// Builds the message of this Datalog, and adds its symbols to those of the blocks before it.
pub fn block(code: &str, symbols: &mut SymbolTable) -> schema::Block {
    let builder = BlockBuilder::new()
        .code(code)
        .unwrap_or_else(|error| panic!("{error}: {code}"));
    let known = symbols.strings().len();
    let facts = builder
        .facts
        .iter()
        .map(|fact| convert::token_fact_to_proto_fact(&fact.convert(symbols)));
    let facts = facts.collect();
    let rules = builder
        .rules
        .iter()
        .map(|rule| convert::token_rule_to_proto_rule(&rule.convert(symbols)));
    let rules = rules.collect();
    let checks = builder
        .checks
        .iter()
        .map(|check| convert::token_check_to_proto_check(&check.convert(symbols)));
    let checks = checks.collect();
    let scope = builder
        .scopes
        .iter()
        .map(|scope| convert::token_scope_to_proto_scope(&scope.convert(symbols)));
    let scope = scope.collect();
    schema::Block {
        symbols: symbols.strings().split_off(known),
        context: None,
        version: Some(6),
        facts,
        rules,
        checks,
        scope,
        public_keys: Vec::new(),
    }
}

pub fn public(key: &SigningKey) -> schema::PublicKey {
    schema::PublicKey {
        algorithm: 0,
        key: key.verifying_key().to_bytes().to_vec(),
    }
}

/// Builds a block signed by `key`. `previous` is the signature of the block before it, if there is one.
pub fn signed(
    key: &SigningKey,
    block: Vec<u8>,
    next_key: schema::PublicKey,
    previous: Option<&[u8]>,
    version: Option<u32>,
) -> schema::SignedBlock {
    let message = message(&block, &next_key, previous, version);
    schema::SignedBlock {
        block,
        next_key,
        signature: key.sign(&message).to_bytes().to_vec(),
        external_signature: None,
        version,
    }
}

/// The message that the signature of a block covers.
pub fn message(
    block: &[u8],
    next_key: &schema::PublicKey,
    previous: Option<&[u8]>,
    version: Option<u32>,
) -> Vec<u8> {
    let mut message = Vec::new();
    match version {
        None | Some(0) => {
            message.extend(block);
            message.extend(next_key.algorithm.to_le_bytes());
            message.extend(&next_key.key);
        }
        Some(version) => {
            message.extend(b"\0BLOCK\0\0VERSION\0");
            message.extend(version.to_le_bytes());
            message.extend(b"\0PAYLOAD\0");
            message.extend(block);
            message.extend(b"\0ALGORITHM\0");
            message.extend(next_key.algorithm.to_le_bytes());
            message.extend(b"\0NEXTKEY\0");
            message.extend(&next_key.key);
            if let Some(previous) = previous {
                message.extend(b"\0PREVSIG\0");
                message.extend(previous);
            }
        }
    }
    message
}
