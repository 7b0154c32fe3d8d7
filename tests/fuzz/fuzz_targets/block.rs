#![no_main]
//! Fuzz target for a block's bytes, validly signed so that they pass the chain, then verified, decided and
//! evaluated.

use std::sync::LazyLock;

use bailiwick_biscuit::engine::Authorizer;
use bailiwick_fuzz::{
    Root, engine,
    forge::{Forge, public},
    now, said, verifier,
};
use bailiwick_token::token::Token;
use bailiwick_verifier::{Call, Verifier};
use biscuit_auth::format::schema::ExternalSignature;
use libfuzzer_sys::fuzz_target;

const FUEL: u64 = 5_000;
/// Fuel for blocks outside the profile, enough for a regular expression.
const ENGINE_FUEL: u64 = 100_000;

static ROOT: LazyLock<Root> = LazyLock::new(Root::fixed);
static HONEST: LazyLock<Forge> = LazyLock::new(|| Forge::honest(&ROOT));
static VERIFIERS: LazyLock<[Verifier; 2]> =
    LazyLock::new(|| [verifier(&ROOT, FUEL, 0), verifier(&ROOT, FUEL, 1 << 20)]);
/// An authorizer that states the facts of a call, so that blocks of the profile can be evaluated without a verifier.
static AUTHORIZER: LazyLock<Authorizer> = LazyLock::new(|| {
    let facts = r#"
        time(2026-11-23T12:00:00Z); service("erp"); action("order"); depth(1); args({"", "amount", "tags"});
        arg("amount", 5); num("amount", 5000000); arg("tags", ["a", "b"]); f(1); f(2); f(3);
        allow if action($a), grant($a); allow if f($x), g($x); deny if f($x), $x > 2; allow if true;
    "#;
    Authorizer::parse(facts).expect("Datalog")
});

fuzz_target!(|data: &[u8]| {
    let Some((place, bytes)) = data.split_first() else {
        return;
    };
    let bytes = bytes.to_vec();
    let forge = match place % 5 {
        0 => Forge::authority_bytes(&ROOT, bytes),
        1 => HONEST.clone().append_bytes(bytes),
        2 => HONEST.clone().append_signed(bytes, None),
        3 => HONEST
            .clone()
            .append("f(1); check if f($x);")
            .append_bytes(bytes)
            .append("check if f($x);"),
        // Only the engine evaluates this token. It does not check signatures.
        _ => HONEST.clone().append_bytes(bytes).changed(|token| {
            token.blocks[0].external_signature = Some(ExternalSignature {
                signature: vec![0; 64],
                public_key: public(&ROOT.key),
            });
        }),
    };
    let request = Call::new("order")
        .arg("amount", 5)
        .arg("tags", vec!["a", "b"]);
    let text = forge.text();
    let [fresh, warm] = &*VERIFIERS;
    let decision = said(&fresh.check(&text, &request, now()));
    for _ in 0..2 {
        assert_eq!(
            said(&warm.check(&text, &request, now())),
            decision,
            "seen and unseen"
        );
    }
    let Ok(token) = Token::from_bytes(forge.bytes()) else {
        return;
    };
    let _shown = token.inspect().to_string();
    if let Ok(program) = engine::compile(&token, &AUTHORIZER) {
        engine::evaluate(&program, ENGINE_FUEL);
    }
});
