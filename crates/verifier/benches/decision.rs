//! Benchmarks of minting, attenuating and verifying, each compared with plain biscuit-auth doing the same
//! work.
//!
//! Left out: storage and audit of an issuer (a token is only built and signed), HTTP, and the network. Where tokens are
//! transferred, both sides start from and end with base64 text. biscuit-auth gets the same token, facts and policy,
//! with limits that it never reaches. It checks neither the structure of a token nor revocation, and it explains
//! nothing.

#![cfg(test)]
#![allow(missing_docs, reason = "the functions that criterion's macros make")]

use std::{hint::black_box, time::Duration};

use bailiwick_biscuit::build;
use bailiwick_token::{
    caveat::Caveat,
    claims::{Claims, TokenId},
    datalog,
    grant::Grants,
    key::{KeyId, PublicKey},
    keyset::{Algorithm, KeyState, Keyset, RootKey},
    timestamp::Timestamp,
    token::Token,
};
use bailiwick_verifier::{Call, Reason, Trust, Verifier};
use biscuit_auth::builder::BiscuitBuilder;
use biscuit_auth::{
    AuthorizerBuilder, AuthorizerLimits, Biscuit, BlockBuilder, KeyPair, UnverifiedBiscuit,
};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signer, SigningKey};

const ISSUER: &str = "https://issuer.example";

const GRANTS: &str = r#"
[[grant]]
service = "erp"
action = "purchase_order:create"
[grant.args]
amount = { min = "0.01", max = "10000" }
currency = "EUR"
vendor = { one_of = ["acme", "globex"] }
note = "*"

[[grant]]
service = "erp"
action = "purchase_order:read"

[[grant]]
service = "erp"
action = "invoice:*"
resource = "eu/*"

[[grant]]
service = "crm"
action = "contact:*"

[[grant]]
service = "ledger"
action = "entry:read"
"#;

const SCOPE: &str = r#"
[[grant]]
service = "erp"
action = "purchase_order:create"
[grant.args]
amount = { max = "4200" }
currency = "*"
vendor = "*"
note = "*"

[[grant]]
service = "erp"
action = "purchase_order:read"
"#;

struct Setup {
    key: SigningKey,
    keyset_key: SigningKey,
    grants: Grants,
    caveat: Caveat,
    now: Timestamp,
}

impl Setup {
    fn new() -> Setup {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        Setup {
            key: SigningKey::from_bytes(&[7; 32]),
            keyset_key: SigningKey::from_bytes(&[9; 32]),
            grants: Grants::from_toml(GRANTS).unwrap(),
            caveat: Caveat {
                scope: Some(Grants::from_toml(SCOPE).unwrap()),
                expires: Some(now.plus(300)),
                delegate: Some("agent:buyer".to_owned()),
                task: None,
            },
            now,
        }
    }

    fn public(&self) -> PublicKey {
        PublicKey::from_bytes(self.key.verifying_key().as_bytes()).unwrap()
    }

    fn key_pair(&self) -> KeyPair {
        let private = biscuit_auth::PrivateKey::from_bytes(
            self.key.as_bytes(),
            biscuit_auth::Algorithm::Ed25519,
        );
        KeyPair::from(&private.unwrap())
    }

    fn claims(&self) -> Claims {
        Claims {
            issuer: ISSUER.to_owned(),
            token_id: TokenId::from_bytes([1; 16]),
            agent: "agent:orchestrator".to_owned(),
            principal: "team:procurement".to_owned(),
            tenant: None,
            task: None,
            claims: Default::default(),
            issued_at: self.now.minus(60),
            not_before: self.now.minus(60),
            expires: self.now.plus(900),
            max_depth: None,
        }
    }

    fn mint(&self) -> Token {
        let id = KeyId::derive(ISSUER, &self.public());
        let block = datalog::authority_block(&self.claims(), &self.grants).unwrap();
        let root = build::KeyPair::new(&self.key).unwrap();
        let signed = build::sign(&block, &root, Some(id.as_u32())).unwrap();
        Token::try_from(signed).unwrap()
    }

    fn chain(&self, blocks: usize) -> Token {
        (0..blocks).fold(self.mint(), |token, _| {
            token.attenuate(&self.caveat).unwrap()
        })
    }

    fn verifier(&self) -> Verifier {
        let public = self.public();
        let keyset = Keyset {
            issuer: ISSUER.to_owned(),
            version: 1,
            issued_at: self.now.minus(60),
            expires: self.now.plus(86_400),
            refresh_hint: 30,
            max_token_ttl: 3600,
            keys: vec![RootKey {
                id: KeyId::derive(ISSUER, &public),
                alg: Algorithm::Ed25519,
                public,
                state: KeyState::Active,
                not_after: None,
            }],
            tombstones: Vec::new(),
            revocation_url: None,
        };
        let keyset_public =
            PublicKey::from_bytes(self.keyset_key.verifying_key().as_bytes()).unwrap();
        let envelope = keyset.sign(&self.keyset_key).to_json();
        Verifier::new(
            "erp",
            Trust::open(envelope.as_bytes(), &keyset_public, None).unwrap(),
        )
        .unwrap()
    }
}

fn request() -> Call {
    Call::new("purchase_order:create")
        .arg("amount", 4000)
        .arg("currency", "EUR")
        .arg("vendor", "acme")
        .arg("note", "paper")
}

fn authorize(token: &Biscuit, prepared: &AuthorizerBuilder) -> bool {
    prepared.clone().build(token).unwrap().authorize().is_ok()
}

/// The same facts and the same policy, parsed beforehand.
fn prepared() -> AuthorizerBuilder {
    let code = r#"
        time(2026-11-23T12:00:00Z); service("erp"); action("purchase_order:create");
        args({"", "amount", "currency", "vendor", "note"});
        arg("amount", 4000); num("amount", 4000000000);
        arg("currency", "EUR"); arg("vendor", "acme"); arg("note", "paper"); depth(3);
        allow if action($a), grant($a);
    "#;
    let limits = AuthorizerLimits {
        max_facts: 10_000,
        max_iterations: 100,
        max_time: Duration::from_secs(60),
    };
    AuthorizerBuilder::new()
        .set_limits(limits)
        .code(code)
        .unwrap()
}

fn mint(criterion: &mut Criterion) {
    let setup = Setup::new();
    let mut group = criterion.benchmark_group("mint");
    let key_pair = setup.key_pair();
    group.bench_function("bailiwick", |bencher| {
        bencher.iter(|| setup.mint().to_base64())
    });
    // The same block as text: biscuit-auth parses it again for each token, as its users do.
    let code = setup.mint().blocks().swap_remove(0).to_string();
    group.bench_function("biscuit-auth", |bencher| {
        bencher.iter(|| {
            let block = BiscuitBuilder::new().code(&code).unwrap();
            block.build(&key_pair).unwrap().to_base64().unwrap()
        });
    });
    group.finish();
}

fn attenuate(criterion: &mut Criterion) {
    let setup = Setup::new();
    let text = setup.mint().to_base64().to_string();
    let block = BlockBuilder::new()
        .code(
            r#"delegate("agent:buyer");
            check if service("erp"), action("purchase_order:create"), args($n), num("amount", $a),
                     {"", "amount", "currency", "vendor", "note"}.contains($n), $a <= 4200000000
                  or service("erp"), action("purchase_order:read");
            check if time($t), $t < 2026-11-23T12:05:00Z;"#,
        )
        .unwrap();
    let mut group = criterion.benchmark_group("attenuate");
    group.bench_function("bailiwick", |bencher| {
        bencher.iter(|| {
            Token::parse(black_box(&text))
                .unwrap()
                .attenuate(&setup.caveat)
                .unwrap()
                .to_base64()
        });
    });
    group.bench_function("biscuit-auth", |bencher| {
        bencher.iter(|| {
            let token = UnverifiedBiscuit::from_base64(black_box(&text)).unwrap();
            token.append(block.clone()).unwrap().to_base64().unwrap()
        });
    });
    group.finish();
}

fn verify(criterion: &mut Criterion) {
    let setup = Setup::new();
    let (verifier, request, root) = (setup.verifier(), request(), setup.key_pair().public());
    let prepared = prepared();
    let text = |token: Token| token.to_base64().to_string();
    let allowed = |text: &str| assert!(verifier.check(text, &request, setup.now).is_allow());
    for blocks in [0, 3, 8] {
        // Each token is made for one call, and thrown away.
        let mut group = criterion.benchmark_group("verify, unseen");
        let unseen = || text(setup.chain(blocks));
        group.bench_function(BenchmarkId::new("bailiwick", blocks), |bencher| {
            bencher.iter_batched(unseen, |text| allowed(&text), BatchSize::SmallInput);
        });
        group.bench_function(BenchmarkId::new("biscuit-auth", blocks), |bencher| {
            bencher.iter_batched(
                unseen,
                |text| {
                    assert!(authorize(
                        &Biscuit::from_base64(&text, root).unwrap(),
                        &prepared
                    ))
                },
                BatchSize::SmallInput,
            );
        });
        group.finish();

        // Parsing, verifying and authorizing again is what a service does without a cache.
        let mut group = criterion.benchmark_group("verify, repeated");
        let seen = text(setup.chain(blocks));
        group.bench_function(BenchmarkId::new("bailiwick", blocks), |bencher| {
            bencher.iter(|| allowed(black_box(&seen)));
        });
        group.bench_function(BenchmarkId::new("biscuit-auth", blocks), |bencher| {
            bencher.iter(|| {
                assert!(authorize(
                    &Biscuit::from_base64(black_box(&seen), root).unwrap(),
                    &prepared
                ));
            });
        });
        let biscuit = Biscuit::from_base64(&seen, root).unwrap();
        group.bench_function(
            BenchmarkId::new("biscuit-auth, verified before", blocks),
            |bencher| {
                bencher.iter(|| assert!(authorize(black_box(&biscuit), &prepared)));
            },
        );
        group.finish();
    }
    let mut group = criterion.benchmark_group("verify, unseen child of a seen parent");
    let parent = setup.chain(3);
    allowed(&text(parent.clone()));
    group.bench_function("bailiwick", |bencher| {
        let child = || text(parent.attenuate(&setup.caveat).unwrap());
        bencher.iter_batched(child, |text| allowed(&text), BatchSize::SmallInput);
    });
    let key = setup.key.verifying_key();
    let message = [7; 500];
    let signature = setup.key.sign(&message);
    group.bench_function("(one verify_strict of 500 bytes)", |bencher| {
        bencher.iter(|| key.verify_strict(black_box(&message), &signature).unwrap());
    });
    group.finish();
}

/// Cost of refusing hostile tokens, compared with allowing an honest one with as many blocks.
fn refuse(criterion: &mut Criterion) {
    let setup = Setup::new();
    let (verifier, request) = (setup.verifier(), request());
    let parent = UnverifiedBiscuit::from(setup.mint().as_bytes()).unwrap();
    let appended = |code: &str| {
        let token = parent
            .append(BlockBuilder::new().code(code).unwrap())
            .unwrap();
        token.to_base64().unwrap()
    };
    let join = |facts: usize| {
        let facts: String = (0..facts).map(|n| format!("f({n}); ")).collect();
        format!("{facts} check if f($a), f($b), f($c), f($d), $a + $b + $c + $d < 0;")
    };
    let reason = |text: &str| verifier.check(text, &request, setup.now).reason();
    let spent = |code: &str| reason(&appended(code)) == Some(Reason::OutOfFuel);
    // The most expensive token that is still evaluated to its end: with one more fact, its fuel runs out.
    let inside = (1..60)
        .map(join)
        .take_while(|code| !spent(code))
        .last()
        .unwrap();
    let regex = format!(
        r#"check if action($a), $a.matches("\\w{{400}}{}");"#,
        "\\\\w".repeat(20)
    );
    let mut group = criterion.benchmark_group("refuse");
    let honest = || {
        setup
            .mint()
            .attenuate(&setup.caveat)
            .unwrap()
            .to_base64()
            .to_string()
    };
    group.bench_function("(an honest token, allowed)", |bencher| {
        bencher.iter_batched(
            honest,
            |text| assert!(reason(&text).is_none()),
            BatchSize::SmallInput,
        );
    });
    for (name, code) in [
        ("self-join of four, 60 facts", join(60)),
        ("self-join of four, just inside the fuel", inside),
        ("regular expression", regex),
        ("time as a fact", "time(2020-01-01T00:00:00Z);".to_owned()),
        (
            "disjunctive reject if",
            r#"reject if action("other") or service("erp");"#.to_owned(),
        ),
        ("oversized", format!(r#"delegate("{}");"#, "x".repeat(9000))),
    ] {
        group.bench_function(name, |bencher| {
            let unseen = || appended(&code);
            bencher.iter_batched(
                unseen,
                |text| assert!(reason(&text).is_some()),
                BatchSize::SmallInput,
            );
        });
    }
    let p256 = KeyPair::new_with_algorithm(biscuit_auth::Algorithm::Secp256r1);
    let block = BlockBuilder::new().code(r#"delegate("x");"#).unwrap();
    let p256 = parent
        .append_with_keypair(&p256, block)
        .unwrap()
        .to_base64()
        .unwrap();
    group.bench_function("P-256 key", |bencher| {
        bencher.iter(|| assert!(reason(black_box(&p256)).is_some()));
    });
    group.finish();
}

/// Decisions on cached tokens with one grant of one condition, compared with a condition that plain Datalog can
/// express.
fn conditions(criterion: &mut Criterion) {
    let setup = Setup::new();
    let verifier = setup.verifier();
    let mut group = criterion.benchmark_group("conditions, seen");
    for (name, path, constraint, args) in [
        ("(any arguments)", "a", "\"*\"", r#"{"a":1}"#),
        ("(max)", "a", "{ min = 0, max = \"100\" }", r#"{"a":42}"#),
        (
            "scale",
            "a",
            "{ min = 0, max = \"100\", scale = 2 }",
            r#"{"a":42.5}"#,
        ),
        (
            "decimal",
            "a",
            "{ as = \"decimal\", min = 0, max = \"100\", scale = 2 }",
            r#"{"a":"42.50"}"#,
        ),
        ("optional", "a", "{ max_len = 80, optional = true }", "{}"),
        ("present", "a", "{ present = true }", r#"{"a":"x"}"#),
        (
            "day",
            "a",
            "{ min = \"2026-12-01\", max = \"2026-12-31\" }",
            r#"{"a":"2026-12-05"}"#,
        ),
        (
            "instant",
            "a",
            "{ after = \"2026-12-01T00:00:00Z\" }",
            r#"{"a":"2026-12-05T08:00:00.123Z"}"#,
        ),
        (
            "matches",
            "a",
            "{ matches = \"47[0-9]{2}\" }",
            r#"{"a":"4711"}"#,
        ),
        (
            "one_line",
            "a",
            "{ one_line = true }",
            r#"{"a":"for the workshop in Hamburg, second floor"}"#,
        ),
        (
            "links",
            "a",
            "{ links = \"none\" }",
            r#"{"a":"for the workshop in Hamburg, second floor"}"#,
        ),
        (
            "ignore_case",
            "a",
            "{ one_of = [\"EUR\", \"USD\"], ignore_case = true }",
            r#"{"a":"eur"}"#,
        ),
        (
            "email",
            "a",
            "{ email = { domain_in = [\"acme.example\"] } }",
            r#"{"a":"ada@acme.example"}"#,
        ),
        (
            "url",
            "a",
            "{ url = { host_in = [\"api.acme.example\"], path_under = \"/v1\" } }",
            r#"{"a":"https://api.acme.example/v1/orders/4711"}"#,
        ),
        (
            "path",
            "a",
            "{ path = { under = \"/srv/onboarding\" } }",
            r#"{"a":"/srv/onboarding/ada/contract.pdf"}"#,
        ),
        (
            "ip",
            "a",
            "{ ip = { in = [\"10.0.0.0/8\", \"fd00::/8\"] } }",
            r#"{"a":"10.1.2.3"}"#,
        ),
        (
            "count",
            "a",
            "{ count = { min = 1, max = 20 } }",
            r#"{"a":[1,2,3]}"#,
        ),
        (
            "each of three",
            "\"a.*.p\"",
            "{ max = \"100\" }",
            r#"{"a":[{"p":1},{"p":2},{"p":3}]}"#,
        ),
        (
            "sum of three",
            "\"a.*.p\"",
            "{ sum = { max = \"100\" } }",
            r#"{"a":[{"p":1},{"p":2},{"p":3}]}"#,
        ),
        (
            "members",
            "a",
            "{ members = [\"city\", \"street\"] }",
            r#"{"a":{"city":"Hamburg"}}"#,
        ),
    ] {
        let grants = format!(
            "[[grant]]\nservice = \"erp\"\naction = \"order\"\nargs = {{ {path} = {constraint} }}\n"
        );
        let mine = Setup {
            grants: Grants::from_toml(&grants).unwrap(),
            ..Setup::new()
        };
        let text = mine.mint().to_base64().to_string();
        let call = Call::from_args_json("order", None, Some(args)).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                assert!(
                    verifier
                        .check(black_box(&text), &call, setup.now)
                        .is_allow()
                )
            });
        });
    }
    let window = "[[grant]]\nservice = \"erp\"\naction = \"order\"\nwhen = { days = [\"mon-fri\"], from = \"08:00\", to = \"18:00\", zone = \"Europe/Berlin\" }\n";
    let mine = Setup {
        grants: Grants::from_toml(window).unwrap(),
        ..Setup::new()
    };
    let text = mine.mint().to_base64().to_string();
    group.bench_function("when", |bencher| {
        let call = Call::new("order");
        bencher.iter(|| {
            assert!(
                verifier
                    .check(black_box(&text), &call, setup.now)
                    .is_allow()
            )
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    targets = mint, attenuate, verify, refuse, conditions
}
criterion_main!(benches);
