//! Tests that printed output contains no tokens and no keys: `Debug`, `Display`, errors, logs, decisions, JSON.

/// The forms of secrets, and a search for them.
mod forms;

use bailiwick_biscuit::authorize::{self, DEFAULT_FUEL, Externs, Key, Unverified};
use bailiwick_testkit::{ISSUER, Root, SERVICE, forge::Forge, log::Log, now, scope, toml};
use bailiwick_token::{
    caveat::Caveat,
    grant::Grants,
    key::PublicKey,
    keyset::Keyset,
    revocation::{Epoch, Head, Position, Revocation, Snapshot, SnapshotBase, Target},
    token::Token,
};
use bailiwick_verifier::{Call, Trust, Values, Verifier};
use biscuit_auth::format::schema;

use forms::Secrets;

fn grants() -> Grants {
    toml(
        "[[grant]]\nservice = \"erp\"\naction = \"order\"\n[grant.args]\namount = { max = \"10\" }\n",
    )
}

struct Scene {
    root: Root,
    tokens: Vec<Token>,
    secrets: Secrets,
}

fn scene() -> Scene {
    let root = Root::new();
    let open = root.mint(&grants());
    let narrowed = open.attenuate(&scope(grants())).expect("narrowed");
    let sealed = narrowed.seal().expect("sealed");
    let tokens = vec![open, narrowed, sealed];
    let mut secrets = Secrets::new();
    tokens.iter().for_each(|token| secrets.token(token));
    secrets.add("the root key", root.key.as_bytes());
    secrets.add("the keyset key", root.keyset_key.as_bytes());
    Scene {
        root,
        tokens,
        secrets,
    }
}

/// The search finds the secrets that biscuit-auth prints. Otherwise, its other results would prove nothing.
#[test]
fn the_search_finds_leaks() {
    let Scene {
        tokens, secrets, ..
    } = scene();
    let found = |printed: &str| secrets.found(printed).is_some();
    assert!(!found("nothing"));
    for token in &tokens {
        let container = container(token);
        assert!(found(&format!("{container:?}")));
        assert!(found(&format!("{container:#?}")));
        assert!(found(&format!("{:?}", token.as_bytes())));
        assert!(found(&hex::encode(token.as_bytes())));
        assert!(found(&token.to_base64()));
    }
}

#[test]
fn nothing_that_holds_a_token_or_a_key_prints_it() {
    let Scene {
        root,
        tokens,
        secrets,
    } = scene();
    let verifier = root.verifier();
    for token in &tokens {
        secrets.assert_debug(token, "a token");
        secrets.assert_debug(&token.proof(), "a proof");
        secrets.assert_debug(&token.blocks(), "its blocks");
        secrets.assert_debug(&token.authority(), "its authority block");
        secrets.assert_debug(&token.token_id(), "its id");
        let view = token.inspect();
        secrets.assert_debug(&view, "an inspection");
        secrets.assert_absent(&view.to_string(), "an inspection in words");
        secrets.assert_absent(
            &serde_json::to_string(&view).expect("JSON"),
            "an inspection as JSON",
        );
        let effective = view.effective().expect("few ways");
        secrets.assert_debug(&effective, "what is left");
        secrets.assert_absent(&effective.to_string(), "what is left, in words");
        secrets.assert_absent(
            &serde_json::to_string(&effective).expect("JSON"),
            "what is left, as JSON",
        );
        let verified = verifier.verify(token, now()).expect("verified");
        secrets.assert_debug(&verified, "a verified token");
        secrets.assert_debug(&verified.identity(), "an identity");
        secrets.assert_debug(token.container(), "a container");
        let unverified = Unverified::read(token.as_bytes()).expect("a container");
        secrets.assert_debug(&unverified, "an unverified Biscuit");
        let biscuit = unverified.verify(&Key::Ed25519(root.public()));
        secrets.assert_debug(&biscuit.expect("verified"), "a verified Biscuit");
        for key in [root.public(), root.keyset_public()].map(Key::Ed25519) {
            for code in [
                "allow if true;",
                "deny if true;",
                "allow if 1 / 0 == 1;",
                "",
            ] {
                let (bytes, externs) = (token.as_bytes(), Externs::default());
                let report = authorize::authorize(bytes, &key, code, &externs, DEFAULT_FUEL);
                secrets.assert_debug(&report, "a report");
                let json = serde_json::to_string(&report).expect("JSON");
                secrets.assert_absent(&json, "a report as JSON");
            }
        }
    }
    secrets.assert_debug(&verifier, "a verifier");
    secrets.assert_debug(&verifier.trust(), "trust");
    secrets.assert_debug(&verifier.counters(), "counters");
    secrets.assert_debug(&root.public(), "a public key");
    secrets.assert_absent(&root.public().to_string(), "a public key");
    let keyset = root.keyset().sign(&root.keyset_key);
    secrets.assert_debug(&root.keyset(), "a keyset");
    secrets.assert_debug(&keyset, "an envelope");
    secrets.assert_absent(&keyset.to_json(), "an envelope as JSON");
    secrets.assert_absent(&String::from_utf8_lossy(&keyset.payload), "what is signed");
}

#[test]
fn no_error_repeats_what_was_handed_in() {
    let Scene {
        root,
        tokens,
        secrets,
    } = scene();
    let verifier = root.verifier();
    let mut errors: Vec<Box<dyn std::error::Error>> = Vec::new();
    for token in &tokens {
        let text = token.to_base64();
        let bytes = token.as_bytes();
        for damaged in [
            format!("{}!", *text),
            format!("{}{}", *text, *text),
            text[4..].to_owned(),
            text[..text.len() - 8].to_owned(),
        ] {
            let decision = verifier.check(&damaged, &Call::new("order"), now());
            assert!(!decision.is_allow());
            secrets.assert_debug(&decision, "a denial");
            secrets.assert_absent(&decision.to_json(Values::Shown), "a denial as JSON");
            errors.extend(Token::parse(&damaged).err().map(Box::from));
        }
        errors.extend(Token::from_bytes(bytes[1..].to_vec()).err().map(Box::from));
        errors.extend(token.attenuate(&Caveat::default()).err().map(Box::from));
        errors.extend(token.seal().err().map(Box::from));
        errors.extend(
            verifier
                .verify(&resigned(token), now())
                .err()
                .map(|deny| deny.detail().into()),
        );
        errors.extend(text.parse::<PublicKey>().err().map(Box::from));
        errors.extend(Keyset::open(bytes, &root.public()).err().map(Box::from));
        errors.extend(
            Keyset::open(text.as_bytes(), &root.public())
                .err()
                .map(Box::from),
        );
        errors.extend(
            Snapshot::open(text.as_bytes(), &root.public())
                .err()
                .map(Box::from),
        );
        errors.extend(
            Head::open(text.as_bytes(), &root.public())
                .err()
                .map(Box::from),
        );
        errors.extend(Revocation::from_line(text.as_bytes()).err().map(Box::from));
    }
    let keyset = root.keyset().sign(&root.key).to_json();
    errors.extend(
        Trust::open(keyset.as_bytes(), &root.keyset_public(), None)
            .err()
            .map(Box::from),
    );
    assert!(errors.len() > 20);
    for error in &errors {
        secrets.assert_debug(error, "an error");
        secrets.assert_absent(&error.to_string(), "an error in words");
    }
}

/// The token as a type of biscuit-auth, whose `Debug` prints everything.
fn container(token: &Token) -> schema::Biscuit {
    prost::Message::decode(token.as_bytes()).expect("a container")
}

/// The token with one bit of its first signature changed.
fn resigned(token: &Token) -> Token {
    let mut container = container(token);
    container.authority.signature[0] ^= 1;
    Token::from_bytes(prost::Message::encode_to_vec(&container)).expect("a token")
}

#[test]
fn decisions_and_logs_hold_no_token() {
    let Scene {
        root,
        tokens,
        secrets,
    } = scene();
    let (log, recording) = Log::record(tracing::Level::TRACE);
    let mut decisions = Vec::new();
    let revoked = Revocation {
        target: Target::Token(tokens[0].token_id().expect("an id")),
        expires: None,
    };
    let snapshot = SnapshotBase {
        keyset_version: 1,
        issuer: ISSUER.to_owned(),
        position: Position::start(Epoch::from_bytes([1; 8])),
        issued_at: now().minus(60),
        expires: now().plus(60),
    };
    let keyset = root.keyset().sign(&root.keyset_key).to_json();
    let list = snapshot
        .write([revoked], &root.keyset_key)
        .expect("a snapshot");
    let trust = Trust::open(
        keyset.as_bytes(),
        &root.keyset_public(),
        Some(list.as_bytes()),
    )
    .expect("trust");
    let revoking = Verifier::new(SERVICE, trust).expect("a service");
    for verifier in [
        root.verifier(),
        root.verifier().shadow(true),
        revoking,
        Root::new().verifier(),
    ] {
        for token in &tokens {
            for amount in [5, 50] {
                let request = Call::new("order").arg("amount", amount);
                decisions.push(verifier.check(&token.to_base64(), &request, now()));
                decisions.push(verifier.check(&token.to_base64(), &request, now().plus(100_000)));
                decisions.push(verifier.check(
                    &format!("{}?", *token.to_base64()),
                    &request,
                    now(),
                ));
                decisions.push(verifier.check(&resigned(token).to_base64(), &request, now()));
            }
        }
        let hostile = Forge::honest(&root).append("check if 1 / 0 === 1; time(1);");
        decisions.push(verifier.check(&hostile.text(), &Call::new("order"), now()));
    }
    drop(recording);
    let log = log.text();
    assert!(
        log.contains("call allowed") && log.contains("call denied") && log.contains("shadow mode")
    );
    secrets.assert_absent(&log, "the log");
    assert!(decisions.iter().any(|decision| decision.is_allow()));
    for decision in &decisions {
        secrets.assert_debug(decision, "a decision");
        for values in [Values::Shown, Values::Hidden] {
            secrets.assert_absent(&decision.to_json(values), "a decision as JSON");
            secrets.assert_absent(&decision.explain(values).join("\n"), "an explanation");
        }
    }
}

/// Values of arguments may also be secret: neither a log nor an explanation with hidden values repeats them.
#[test]
fn logs_hold_no_argument() {
    let root = Root::new();
    let (log, recording) = Log::record(tracing::Level::TRACE);
    let token = Forge::honest(&root).append(
        "check if service(\"erp\"), action(\"order\"), args($n), {\"\", \"a\"}.contains($n), arg(\"a\", \"x\");",
    );
    let secret = "4111-1111-1111-1111";
    let json = |args: &str| format!(r#"{{"action":"order","args":{args}}}"#);
    let verifier = root.verifier();
    for args in [
        format!(r#"{{"a":"{secret}"}}"#),
        format!(r#"{{"a":"x","b":"{secret}"}}"#),
        format!(r#"{{"a":["{secret}"]}}"#),
        format!(r#"{{"a":{{"b":"{secret}"}}}}"#),
    ] {
        let request = Call::from_json(&json(&args))
            .expect("a call")
            .resource(secret);
        let decision = verifier.check(&token.text(), &request, now());
        assert!(!decision.is_allow());
        assert!(!decision.explain(Values::Hidden).concat().contains(secret));
        assert!(!decision.to_json(Values::Hidden).contains(secret));
    }
    drop(recording);
    assert!(log.text().contains("call denied") && !log.text().contains(secret));
}
