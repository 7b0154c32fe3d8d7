//! Tests of token text in the standard base64 alphabet.

use bailiwick_biscuit::{
    authorize::{self, DEFAULT_FUEL, ErrorKind, Externs, Outcome, Unverified},
    container::ContainerError,
};
use bailiwick_testkit::{
    Root,
    foreign::{Foreign, Pair},
    forge::Forge,
};
use bailiwick_token::token::{Token, TokenError};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

use crate::{ALLOW, expect_texts, order};

/// Returns true if the text of these bytes differs between the two alphabets.
fn tells_alphabets_apart(bytes: &[u8]) -> bool {
    URL_SAFE.encode(bytes).contains(['-', '_'])
}

#[test]
fn the_standard_alphabet_is_refused() {
    let root = Root::new();
    let tokens = (0..50).map(|number| Forge::honest(&root).append(&format!("task(\"{number}\");")));
    let forge = tokens
        .into_iter()
        .find(|forge| tells_alphabets_apart(&forge.bytes()));
    let bytes = forge.expect("a token of fifty").bytes();
    expect_texts(
        &root,
        &order(),
        [
            ("base64url", URL_SAFE.encode(&bytes), ALLOW),
            ("unpadded", URL_SAFE_NO_PAD.encode(&bytes), ALLOW),
            ("standard", STANDARD.encode(&bytes), "malformed"),
            (
                "standard, unpadded",
                STANDARD_NO_PAD.encode(&bytes),
                "malformed",
            ),
        ],
    );
    let text = STANDARD.encode(&bytes);
    assert_eq!(
        Token::parse(&text).map(drop),
        Err(TokenError::Container(ContainerError::Base64))
    );
}

#[test]
fn the_standard_alphabet_is_refused_outside_the_profile() {
    let root = Pair::ed25519(1);
    let bytes = (0..50)
        .map(|number| {
            Foreign::authority(&root, &format!("note({number});"), Pair::ed25519(2), 1).bytes()
        })
        .find(|bytes| tells_alphabets_apart(bytes))
        .expect("a token of fifty");
    let outcome = |text: &str| {
        let externs = Externs::default();
        let code = "allow if true;";
        authorize::authorize(text.as_bytes(), &root.key(), code, &externs, DEFAULT_FUEL).outcome
    };
    for text in [URL_SAFE.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
        assert_eq!(outcome(&text), Outcome::Allow { policy: 0 });
    }
    for text in [STANDARD.encode(&bytes), STANDARD_NO_PAD.encode(&bytes)] {
        let Outcome::Error(error) = outcome(&text) else {
            panic!("{text}");
        };
        assert_eq!(error.kind, ErrorKind::Format);
        assert!(error.message.contains("base64url"), "{error}");
        assert!(Unverified::read(text.as_bytes()).is_err());
    }
}
