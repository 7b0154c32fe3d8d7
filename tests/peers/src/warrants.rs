//! Tenuo as a peer: a chain of warrants with the same grants, and a proof of possession.
//!
//! The holder that each link names signs the next link, as when agents pass a token on. A chain of n + 1 links
//! is compared with a token with n appended blocks. Tenuo's tool names have no wildcards, so two grants are
//! narrower than ours, and `service` has no counterpart.

use std::{collections::HashMap, hint::black_box, rc::Rc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tenuo::{
    Authorizer, Exact, OneOf, Pattern, Range, Signature, SigningKey, Warrant, Wildcard,
    constraints::{ConstraintSet, ConstraintValue},
    warrant::{POP_MAX_WINDOWS, POP_TIMESTAMP_WINDOW_SECS},
    wire::{self, WarrantStack},
};

use crate::{
    sample::{AGENT, BEYOND, BLOCKS, WITHIN},
    variant::Variant,
};

pub(crate) const NAME: &str = "Tenuo 0.3.5";
const TOOL: &str = "purchase_order:create";

/// Returns true if a call that the warrant does not allow is denied, as it must be, even though the holder
/// signed the call.
pub(crate) fn denies() -> bool {
    !Call::new(3, BEYOND).allowed()
}

pub(crate) fn variants<'a>() -> Vec<Variant<'a>> {
    let calls: Vec<Rc<Call>> = BLOCKS
        .into_iter()
        .map(|blocks| Rc::new(Call::new(blocks, WITHIN)))
        .collect();
    let each = |variant: fn(Rc<Call>) -> Variant<'a>| calls.iter().cloned().map(variant);
    each(decoding)
        .chain(each(chain))
        .chain(each(proof))
        .chain(each(whole))
        .collect()
}

fn decoding<'a>(call: Rc<Call>) -> Variant<'a> {
    let wire = call.text.len();
    Variant::repeated((NAME, "decode"), call.blocks, wire, move || {
        decode(black_box(&call.text)).is_some()
    })
}

fn chain<'a>(call: Rc<Call>) -> Variant<'a> {
    let wire = call.text.len();
    Variant::repeated((NAME, "verify the chain"), call.blocks, wire, move || {
        let chain = black_box(call.chain.as_slice());
        call.authorizer.verify_chain_as_of(chain, call.now).is_ok()
    })
}

fn proof<'a>(call: Rc<Call>) -> Variant<'a> {
    let wire = call.proof_text.len();
    Variant::repeated((NAME, "verify the proof"), call.blocks, wire, move || {
        let (windows, most) = (POP_TIMESTAMP_WINDOW_SECS, POP_MAX_WINDOWS);
        let leaf = black_box(&call.chain).last().unwrap();
        let proof = Some(&call.proof);
        leaf.verify_pop_as_of(TOOL, &call.args, proof, windows, most, call.now)
            .is_ok()
    })
}

/// The complete path from the texts to the decision, as in Tenuo's own service.
fn whole<'a>(call: Rc<Call>) -> Variant<'a> {
    let wire = call.text.len() + call.proof_text.len();
    let path = "decode, verify, prove, authorize";
    Variant::repeated((NAME, path), call.blocks, wire, move || call.allowed())
}

/// Reads the header's text as Tenuo's own service does.
fn decode(text: &str) -> Option<Vec<Warrant>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    wire::decode_stack(&bytes).ok().map(|stack| stack.0)
}

struct Call {
    blocks: usize,
    authorizer: Authorizer,
    chain: Vec<Warrant>,
    text: String,
    args: HashMap<String, ConstraintValue>,
    proof: Signature,
    proof_text: String,
    /// Time at which the call was signed. The clock stands still in this peer, as in ours.
    now: i64,
}

impl Call {
    fn allowed(&self) -> bool {
        let decided = || {
            let chain = decode(black_box(&self.text))?;
            let proof = URL_SAFE_NO_PAD.decode(black_box(&self.proof_text)).ok()?;
            let proof = Signature::from_bytes(proof.as_slice().try_into().ok()?).ok()?;
            let (args, proof) = (&self.args, Some(&proof));
            let authorizer = &self.authorizer;
            authorizer
                .check_chain_with_pop_args_as_of(&chain, TOOL, args, args, proof, &[], self.now)
                .ok()
        };
        decided().is_some()
    }

    fn new(blocks: usize, amount: i64) -> Call {
        let keys: Vec<SigningKey> = (0..blocks + 2).map(|_| SigningKey::generate()).collect();
        let root = Warrant::builder()
            .capability(TOOL, create(10_000.0))
            .capability("purchase_order:read", ConstraintSet::new())
            .capability("invoice:read", resource("eu/*"))
            .capability("contact:read", ConstraintSet::new())
            .capability("entry:read", ConstraintSet::new())
            .agent_id(AGENT)
            .ttl(Duration::from_secs(900))
            .holder(keys[1].public_key())
            .build(&keys[0])
            .unwrap();
        let mut chain = vec![root];
        for link in 1..=blocks {
            let narrowed = chain[link - 1]
                .attenuate()
                .capability(TOOL, create(4200.0))
                .capability("purchase_order:read", ConstraintSet::new())
                .agent_id("agent:buyer")
                .ttl_capped_to_parent(Duration::from_secs(300))
                .holder(keys[link + 1].public_key())
                .build(&keys[link]);
            chain.push(narrowed.unwrap());
        }
        let args = HashMap::from([
            ("amount".to_owned(), ConstraintValue::Integer(amount)),
            ("currency".to_owned(), "EUR".into()),
            ("vendor".to_owned(), "acme".into()),
            ("note".to_owned(), "paper".into()),
        ]);
        let leaf = &chain[blocks];
        let now = leaf.issued_at().timestamp();
        let proof = leaf.sign_with_timestamp(&keys[blocks + 1], TOOL, &args, Some(now));
        let proof = proof.unwrap();
        let stack = wire::encode_stack(&WarrantStack::new(chain.clone())).unwrap();
        Call {
            blocks,
            authorizer: Authorizer::new().with_trusted_root(keys[0].public_key()),
            text: URL_SAFE_NO_PAD.encode(stack),
            proof_text: URL_SAFE_NO_PAD.encode(proof.to_bytes()),
            chain,
            args,
            proof,
            now,
        }
    }
}

fn create(most: f64) -> ConstraintSet {
    let mut set = ConstraintSet::new();
    set.insert("amount", Range::new(Some(0.01), Some(most)).unwrap());
    set.insert("currency", Exact::new("EUR"));
    set.insert("vendor", OneOf::new(["acme", "globex"]));
    set.insert("note", Wildcard);
    set
}

fn resource(pattern: &str) -> ConstraintSet {
    let mut set = ConstraintSet::new();
    set.insert("resource", Pattern::new(pattern).unwrap());
    set
}
