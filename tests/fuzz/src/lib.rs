//! Shared parts of the fuzz targets: a fixed root key, a verifier that trusts it, and the engine alone.
//!
//! Only public interfaces are used, so that internal changes break no target.

use bailiwick_testkit::claims;
use bailiwick_token::{
    caveat::Caveat,
    claims::{Claims, TokenId},
    grant::Grants,
    token::Token,
};
use bailiwick_verifier::{Decision, Limits, Values, Verifier};

pub mod choices;
pub mod engine;
#[path = "../../support"]
mod support {
    pub mod oracle;
    pub mod program;
    pub mod random;
    pub mod reference;
    pub mod ways;
}

pub use support::{oracle, program, random, reference, ways};

pub use bailiwick_testkit::{ISSUER, Root, SERVICE, forge, now};

/// Makes a verifier whose cache of tokens may hold this many bytes.
pub fn verifier(root: &Root, fuel: u64, cache_bytes: usize) -> Verifier {
    root.verifier().limits(Limits {
        fuel,
        cache_bytes,
        ..Limits::default()
    })
}

/// Mints an honest token with these grants. It is the same on every run, so that an input always has the same
/// meaning.
pub fn mint(root: &Root, grants: &Grants) -> Token {
    let claims = Claims {
        token_id: TokenId::from_bytes([7; 16]),
        ..claims()
    };
    root.mint_with(&claims, grants)
}

/// The complete text of a decision, checked to be printable. Equal texts mean equal decisions.
pub fn said(decision: &Decision) -> String {
    let mut said = vec![
        decision
            .reason()
            .map_or("allow", |reason| reason.code())
            .to_owned(),
    ];
    for values in [Values::Shown, Values::Hidden] {
        said.extend(decision.explain(values));
        let json = decision.to_json(values);
        serde_json::from_str::<serde_json::Value>(&json).expect("JSON");
        said.push(json);
    }
    let bare = said.concat();
    assert!(!bare.contains(char::is_control), "{bare:?}");
    bare
}

/// Performs every operation of a token's holder, and checks that nothing panics and that results can be read
/// back.
pub fn held(token: &Token) {
    let view = token.inspect();
    let shown = (
        view.to_string(),
        serde_json::to_string(&view).expect("JSON"),
    );
    let _debug = format!("{token:?}");
    if let Ok(effective) = view.effective() {
        let _shown = (
            effective.to_string(),
            serde_json::to_string(&effective).expect("JSON"),
        );
    }
    let again = Token::parse(&token.to_base64()).expect("its own text");
    assert_eq!(again.as_bytes(), token.as_bytes());
    assert_eq!(again.inspect().to_string(), shown.0);
    let caveat = Caveat {
        task: Some("a task".to_owned()),
        ..Caveat::default()
    };
    if let Ok(narrowed) = token.attenuate(&caveat) {
        assert_eq!(narrowed.blocks().len(), token.blocks().len() + 1);
        assert_eq!(narrowed.token_id(), token.token_id());
    }
    if let Ok(sealed) = token.seal() {
        assert!(sealed.is_sealed() && sealed.attenuate(&caveat).is_err());
    }
}
