#![no_main]
//! Fuzz target for a token's bytes and text: read, used by a holder, verified and decided.

use std::sync::LazyLock;

use bailiwick_biscuit::authorize::{Externs, Key, Outcome, authorize};
use bailiwick_fuzz::{Root, held, now, said, verifier};
use bailiwick_token::{key::PublicKey, token::Token};
use bailiwick_verifier::{Call, Verifier};
use libfuzzer_sys::fuzz_target;

static FRESH: LazyLock<Verifier> = LazyLock::new(|| verifier(&Root::fixed(), 5_000, 0));
static WARM: LazyLock<Verifier> = LazyLock::new(|| verifier(&Root::fixed(), 5_000, 1 << 20));

static ROOT: LazyLock<Key> = LazyLock::new(|| {
    let key = Root::fixed().key.verifying_key();
    Key::Ed25519(PublicKey::try_from(key).expect("a key of ours"))
});

fuzz_target!(|data: &[u8]| {
    // Read as any Biscuit: in binary or as text, with every kind of signature.
    let report = authorize(data, &ROOT, "allow if true;", &Externs::default(), 100_000);
    assert!(!matches!(report.outcome, Outcome::Allow { .. }) || report.revocation_ids.is_some());
    let request = Call::new("order")
        .arg("amount", 5)
        .arg("tags", vec!["a", "b"]);
    if let Ok(text) = std::str::from_utf8(data) {
        said(&FRESH.check(text, &request, now()));
    }
    let Ok(token) = Token::from_bytes(data.to_vec()) else {
        return;
    };
    assert_eq!(token.as_bytes(), data);
    held(&token);
    let text = token.to_base64();
    let decision = FRESH.check(&text, &request, now());
    for _ in 0..2 {
        assert_eq!(
            said(&WARM.check(&text, &request, now())),
            said(&decision),
            "seen and unseen"
        );
    }
    if let Ok(sealed) = token.seal() {
        let sealed = FRESH.check(&sealed.to_base64(), &request, now());
        assert!(
            !sealed.is_allow() || decision.is_allow(),
            "a seal widens nothing"
        );
    }
});
