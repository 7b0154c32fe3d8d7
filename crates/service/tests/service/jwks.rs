//! Tests of key sets in the forms that real providers publish, each with keys made here.

use bailiwick_testkit::{
    log::Log,
    provider::{Provider, Signer, under_secret},
    service::{Answer, Auth, Service, Setup},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tracing::Level;

const ALGORITHMS: &str =
    "algorithms = [\"RS256\", \"RS384\", \"PS256\", \"ES256\", \"ES384\", \"Ed25519\"]\n";

/// A service, and a provider whose key set is replaced again and again.
struct Scene {
    provider: Provider,
    service: Service,
    secret: String,
}

impl Scene {
    async fn new() -> Scene {
        let provider = Provider::start(&[]).await;
        let config = format!("{}{ALGORITHMS}", provider.config());
        let service = Setup::with_providers(&config).start().await;
        let secret = service.client("assistant-1", &["assistant"]).await;
        Scene {
            provider,
            service,
            secret,
        }
    }

    /// Makes the service read a key set, by sending a JWT that no published key verifies.
    async fn adopt(&self, text: String) {
        self.provider.publish_text(text);
        self.service.time.pass(30);
        let stranger = Signer::es256("stranger");
        let before = self.provider.asked();
        self.exchange(&stranger.sign(&self.claims())).await;
        assert_eq!(self.provider.asked(), before + 1);
    }

    async fn adopt_keys(&self, keys: &[Value]) {
        self.adopt(json!({ "keys": keys }).to_string()).await;
    }

    fn claims(&self) -> Value {
        let now = self.service.now().unix();
        json!({
            "iss": self.provider.issuer,
            "aud": "bailiwick",
            "sub": "ada",
            "iat": now,
            "exp": now + 300,
            "groups": ["buyers"],
        })
    }

    async fn exchange(&self, subject: &str) -> Answer {
        let form = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("scope", "assistant"),
            ("subject_token", subject),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:id_token",
            ),
        ];
        let auth = Auth::Basic("assistant-1", &self.secret);
        self.service.token(auth, &form).await
    }
}

/// Returns a public key with members added or replaced; null removes one.
fn with(signer: &Signer, members: Value) -> Value {
    let mut jwk = signer.jwk.clone();
    let object = jwk.as_object_mut().unwrap();
    object.extend(members.as_object().unwrap().clone());
    object.retain(|_, value| !value.is_null());
    jwk
}

fn octets(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}

/// A member of a key, with a zero octet prepended.
fn led_by_zero(jwk: &Value, name: &str) -> String {
    let octets = [vec![0], octets(jwk, name)].concat();
    URL_SAFE_NO_PAD.encode(octets)
}

/// Makes a P-256 key whose `x` begins with a zero octet, which the published form omits.
fn cut_coordinate() -> (Signer, Value) {
    loop {
        let signer = Signer::es256("cut");
        if let [0, x @ ..] = octets(&signer.jwk, "x").as_slice() {
            let jwk = with(&signer, json!({ "x": URL_SAFE_NO_PAD.encode(x) }));
            return (signer, jwk);
        }
    }
}

/// Keys that are left out wherever they occur, with the reason for each.
fn unsound() -> Vec<(Value, &'static str)> {
    let rsa = Signer::rs256("x").jwk;
    let ec = Signer::es256("x");
    let point = URL_SAFE_NO_PAD.encode([7; 32]);
    let small = URL_SAFE_NO_PAD.encode([&[0xC1; 127][..], &[1]].concat());
    let even = URL_SAFE_NO_PAD.encode([&[0xC1; 255][..], &[2]].concat());
    let jwk = |members: Value| {
        let mut jwk = json!({ "kid": "unsound" });
        let object = jwk.as_object_mut().unwrap();
        object.extend(members.as_object().unwrap().clone());
        jwk
    };
    vec![
        (Value::Null, "not a JSON object"),
        (json!(7), "not a JSON object"),
        (json!({}), "`kty`"),
        (json!([]), "not a JSON object"),
        (
            jwk(json!({ "kty": "oct", "alg": "HS256", "k": "c2VjcmV0" })),
            "shared secret",
        ),
        (
            jwk(json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" })),
            "type",
        ),
        (jwk(json!({ "kty": 7 })), "`kty`"),
        (
            jwk(json!({ "kty": "EC", "crv": "P-521", "x": point, "y": point })),
            "`P-521`",
        ),
        (
            jwk(json!({ "kty": "EC", "crv": "secp256k1", "x": point, "y": point })),
            "`secp256k1`",
        ),
        (
            jwk(json!({ "kty": "EC", "crv": "P-256", "x": point, "y": point })),
            "valid public key",
        ),
        (
            jwk(json!({ "kty": "EC", "crv": "P-256", "x": point })),
            "`y`",
        ),
        (jwk(json!({ "kty": "EC", "x": point, "y": point })), "`crv`"),
        (
            jwk(json!({ "kty": "EC", "crv": "P-256", "x": even, "y": point })),
            "`x`",
        ),
        (
            jwk(json!({ "kty": "OKP", "crv": "X25519", "x": point })),
            "`X25519`",
        ),
        (
            jwk(json!({ "kty": "OKP", "crv": "Ed448", "x": point })),
            "`Ed448`",
        ),
        (
            jwk(json!({ "kty": "OKP", "crv": "Ed25519", "x": even })),
            "valid public key",
        ),
        (
            jwk(json!({ "kty": "RSA", "n": small, "e": "AQAB" })),
            "1024 bits",
        ),
        (
            jwk(json!({ "kty": "RSA", "n": even, "e": "AQAB" })),
            "valid public key",
        ),
        (
            jwk(json!({ "kty": "RSA", "n": rsa["n"], "e": "AQ" })),
            "valid public key",
        ),
        (
            jwk(json!({ "kty": "RSA", "n": rsa["n"], "e": "AAAA" })),
            "valid public key",
        ),
        (
            jwk(json!({ "kty": "RSA", "n": rsa["n"], "e": "AQAC" })),
            "valid public key",
        ),
        (
            jwk(json!({ "kty": "RSA", "n": "not base64!", "e": "AQAB" })),
            "`n`",
        ),
        (
            jwk(json!({ "kty": "RSA", "n": [1, 2], "e": "AQAB" })),
            "`n`",
        ),
        (jwk(json!({ "kty": "RSA", "e": "AQAB" })), "`n`"),
        (
            with(&ec, json!({ "kid": "unsound", "d": point })),
            "private half",
        ),
        (
            with(&ec, json!({ "kid": "unsound", "use": "enc" })),
            "not for signatures (`enc`)",
        ),
        (
            with(&ec, json!({ "kid": "unsound", "use": "x509-svid" })),
            "not for signatures",
        ),
        (
            with(&ec, json!({ "kid": "unsound", "key_ops": ["deriveKey"] })),
            "not for signatures",
        ),
        (
            with(&ec, json!({ "kid": "unsound", "key_ops": "verify" })),
            "`key_ops`",
        ),
        (
            with(&ec, json!({ "kid": "unsound", "alg": "ECDH-ES" })),
            "`ECDH-ES`",
        ),
        (
            with(&ec, json!({ "kid": "unsound", "alg": "ES384" })),
            "`ES384`",
        ),
        (
            with(&ec, json!({ "kid": "unsound", "alg": "HS256" })),
            "`HS256`",
        ),
        (
            with(&ec, json!({ "kid": "unsound", "alg": "none" })),
            "`none`",
        ),
        (with(&ec, json!({ "kid": ["unsound"] })), "`kid`"),
        (
            jwk(
                json!({ "kty": "RSA", "use": "enc", "alg": "RSA-OAEP-256", "n": rsa["n"], "e": "AQAB" }),
            ),
            "`enc`",
        ),
    ]
}

#[tokio::test]
async fn real_forms_are_accepted() {
    let scene = Scene::new().await;
    let (rsa, other) = (Signer::rs256("r"), Signer::rs256("r"));
    let ps = Signer::rs256("r").by(Algorithm::PS256);
    let (ec, p384, ed) = (Signer::es256("e"), Signer::es384("e"), Signer::eddsa("o"));
    let (cut, cut_jwk) = cut_coordinate();
    let n = octets(&rsa.jwk, "n");
    let certificates = json!({
        "x5c": [STANDARD.encode(&rsa.public[1])], "x5t": "thumb", "x5t#S256": "thumbprint",
    });
    let nameless = json!({ "kid": null });
    let plain = |signer: &Signer| signer.jwk.clone();
    let signed = |signer: &Signer| signer.sign(&scene.claims());
    let under = |signer: &Signer, header: Value| signer.sign_with(&header, &scene.claims());
    let as_alg = |signer: &Signer, alg: &str| under(signer, json!({ "alg": alg }));
    let without_alg = json!({ "alg": null });
    let many: Vec<Value> = (0..600)
        .map(|index| with(&ec, json!({ "kid": format!("many-{index}") })))
        .collect();
    let beside = |key: Value| -> Vec<Value> {
        let unsound = unsound().into_iter().map(|(key, _)| key);
        unsound.chain([key]).collect()
    };
    type Sign<'a> = Box<dyn Fn() -> String + 'a>;
    let forms: Vec<(&str, Vec<Value>, Sign<'_>)> = vec![
        ("one key", vec![plain(&rsa)], Box::new(|| signed(&rsa))),
        (
            "one key twice",
            vec![plain(&rsa), plain(&rsa)],
            Box::new(|| signed(&rsa)),
        ),
        (
            "one key twice, once with its certificate",
            vec![plain(&rsa), with(&rsa, certificates.clone())],
            Box::new(|| signed(&rsa)),
        ),
        (
            "one key for two algorithms",
            vec![
                with(&ps, json!({ "alg": "RS256" })),
                with(&ps, json!({ "alg": "PS256" })),
            ],
            Box::new(|| signed(&ps)),
        ),
        (
            "two keys of one name",
            vec![plain(&other), plain(&rsa)],
            Box::new(|| signed(&rsa)),
        ),
        (
            "keys of one name and of two types",
            vec![with(&rsa, json!({ "kid": "e" })), plain(&ec)],
            Box::new(|| signed(&ec)),
        ),
        (
            "curves of one name",
            vec![plain(&ec), plain(&p384)],
            Box::new(|| signed(&p384)),
        ),
        (
            "a modulus with a zero octet before it",
            vec![with(&rsa, json!({ "n": led_by_zero(&rsa.jwk, "n") }))],
            Box::new(|| signed(&rsa)),
        ),
        (
            "an exponent with a zero octet before it",
            vec![with(&rsa, json!({ "e": led_by_zero(&rsa.jwk, "e") }))],
            Box::new(|| signed(&rsa)),
        ),
        (
            "a padded modulus",
            vec![with(&rsa, json!({ "n": URL_SAFE.encode(&n) }))],
            Box::new(|| signed(&rsa)),
        ),
        (
            "a modulus in the other base64",
            vec![with(&rsa, json!({ "n": STANDARD.encode(&n) }))],
            Box::new(|| signed(&rsa)),
        ),
        (
            "`alg` by its new name in the key",
            vec![with(&ed, json!({ "alg": "Ed25519" }))],
            Box::new(|| signed(&ed)),
        ),
        (
            "`alg` by its new name in the token",
            vec![with(&ed, json!({ "alg": "EdDSA" }))],
            Box::new(|| as_alg(&ed, "Ed25519")),
        ),
        (
            "`alg` by its new name in both",
            vec![with(&ed, json!({ "alg": "Ed25519" }))],
            Box::new(|| as_alg(&ed, "Ed25519")),
        ),
        (
            "no `alg`, no `use`",
            vec![with(&rsa, json!({ "alg": null, "use": null }))],
            Box::new(|| signed(&rsa)),
        ),
        (
            "no `alg`, a token by another algorithm",
            vec![with(&ps, without_alg)],
            Box::new(|| signed(&ps)),
        ),
        (
            "no `kid` in the only key and the token",
            vec![with(&ec, nameless.clone())],
            Box::new(|| under(&ec, nameless.clone())),
        ),
        (
            "no `kid` in the token",
            vec![plain(&rsa), plain(&p384), plain(&ec)],
            Box::new(|| under(&ec, nameless.clone())),
        ),
        (
            "no `kid` in the keys",
            vec![with(&other, nameless.clone()), with(&rsa, nameless.clone())],
            Box::new(|| signed(&rsa)),
        ),
        (
            "as many without `kid` as are tried",
            (0..8)
                .map(|index| match index {
                    7 => with(&ec, nameless.clone()),
                    _ => with(&Signer::es256("x"), nameless.clone()),
                })
                .collect(),
            Box::new(|| signed(&ec)),
        ),
        (
            "a key for encryption of the same name",
            vec![
                with(&other, json!({ "use": "enc", "alg": "RSA-OAEP" })),
                plain(&rsa),
            ],
            Box::new(|| signed(&rsa)),
        ),
        (
            "key operations",
            vec![with(
                &ec,
                json!({ "use": null, "key_ops": ["verify"], "ext": true }),
            )],
            Box::new(|| signed(&ec)),
        ),
        (
            "no key operations",
            vec![with(&ec, json!({ "key_ops": [] }))],
            Box::new(|| signed(&ec)),
        ),
        (
            "told apart by a certificate",
            vec![plain(&other), with(&rsa, certificates.clone())],
            Box::new(|| under(&rsa, json!({ "kid": null, "x5t": "thumb" }))),
        ),
        (
            "told apart by another thumbprint",
            vec![plain(&other), with(&rsa, certificates)],
            Box::new(|| under(&rsa, json!({ "kid": null, "x5t#S256": "thumbprint" }))),
        ),
        (
            "members without a value",
            vec![with(
                &ec,
                json!({ "use": "", "alg": "", "kid": "", "x5t": "" }),
            )],
            Box::new(|| under(&ec, json!({ "kid": "" }))),
        ),
        (
            "members that nobody knows",
            vec![with(
                &ec,
                json!({ "issuer": "x", "nbf": 1, "exp": 2, "x5u": "https://a.example" }),
            )],
            Box::new(|| signed(&ec)),
        ),
        ("P-384", vec![plain(&p384)], Box::new(|| signed(&p384))),
        (
            "a coordinate that was cut",
            vec![cut_jwk],
            Box::new(|| signed(&cut)),
        ),
        (
            "a number for a name",
            vec![plain(&p384), with(&ec, json!({ "kid": 7 }))],
            Box::new(|| under(&ec, json!({ "kid": 7 }))),
        ),
        (
            "the use of SPIFFE",
            vec![with(&ec, json!({ "use": "jwt-svid" }))],
            Box::new(|| signed(&ec)),
        ),
        (
            "more keys than are read",
            many,
            Box::new(|| under(&ec, json!({ "kid": "many-511" }))),
        ),
        (
            "among unsound keys",
            beside(plain(&ec)),
            Box::new(|| signed(&ec)),
        ),
        (
            "among unsound keys of its name",
            unsound()
                .into_iter()
                .map(|(mut key, _)| {
                    if let Some(key) = key.as_object_mut() {
                        key.insert("kid".to_owned(), json!("r"));
                    }
                    key
                })
                .chain([plain(&rsa)])
                .collect(),
            Box::new(|| signed(&rsa)),
        ),
    ];
    for (form, keys, sign) in forms {
        scene.adopt_keys(&keys).await;
        let answer = scene.exchange(&sign()).await;
        assert_eq!(answer.status, 200, "{form}: {answer:?}");
    }
    // Sets in other forms.
    let keys = json!([ec.jwk]);
    let spiffe = json!({ "keys": keys, "spiffe_sequence": 1, "spiffe_refresh_hint": 300 });
    for text in [
        spiffe.to_string(),
        format!("\u{FEFF}{}", json!({ "keys": keys })),
        serde_json::to_string_pretty(&json!({ "keys": keys })).unwrap(),
    ] {
        scene.adopt(text).await;
        scene.exchange(&signed(&ec)).await.is_token();
    }
}

#[tokio::test]
async fn unsound_keys_verify_nothing() {
    let scene = Scene::new().await;
    let (rsa, ec) = (Signer::rs256("r"), Signer::es256("e"));
    let says = async |what: &str, jwt: String| {
        let answer = scene.exchange(&jwt).await;
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        answer.is_oauth(400, "invalid_request")
    };
    let leaked = with(&ec, json!({ "d": "AAAA" }));
    let secret = json!({ "kty": "oct", "kid": "s", "alg": "HS256", "k": "c2VjcmV0" });
    scene.adopt_keys(&[leaked, secret, rsa.jwk.clone()]).await;
    let said = says("a leaked key", ec.sign(&scene.claims())).await;
    assert!(said.contains("form that is not accepted"), "{said}");
    let said = says("a secret", under_secret(b"secret", "s", &scene.claims())).await;
    assert!(
        said.contains("not among the algorithms configured for its provider"),
        "{said}"
    );
    // Key confusion: the public half of a key, used as a shared secret.
    for public in &rsa.public {
        says("a public key", under_secret(public, "r", &scene.claims())).await;
    }
    let said = says("no such key", Signer::es256("new").sign(&scene.claims())).await;
    assert!(said.contains("does not publish"), "{said}");
    let said = says("another key", Signer::rs256("r").sign(&scene.claims())).await;
    assert!(said.contains("signature is wrong"), "{said}");
    // The key determines the algorithm, not the token.
    for alg in ["RS384", "PS256", "ES256"] {
        let said = says(alg, rsa.sign_with(&json!({ "alg": alg }), &scene.claims())).await;
        assert!(said.contains("no key for its algorithm"), "{alg}: {said}");
    }
    scene
        .adopt_keys(&[ec.jwk.clone(), with(&rsa, json!({ "kid": "e" }))])
        .await;
    for alg in ["ES384", "Ed25519"] {
        let said = says(alg, ec.sign_with(&json!({ "alg": alg }), &scene.claims())).await;
        assert!(said.contains("no key for its algorithm"), "{alg}: {said}");
    }
    // More keys than the service tries for a stranger's token.
    let nameless = json!({ "kid": null });
    let nine: Vec<Value> = (0..8)
        .map(|_| with(&Signer::es256("x"), nameless.clone()))
        .chain([with(&ec, nameless.clone())])
        .collect();
    scene.adopt_keys(&nine).await;
    let said = says("nine keys", ec.sign_with(&nameless, &scene.claims())).await;
    assert!(said.contains("it has no 'kid'"), "{said}");
    // The thumbprint of one key's certificate does not select another key.
    let thumb = json!({ "kid": null, "x5t": "thumb" });
    scene
        .adopt_keys(&[with(&rsa, json!({ "x5t": "thumb" })), ec.jwk.clone()])
        .await;
    says("another certificate", ec.sign_with(&thumb, &scene.claims())).await;
    // A key that the provider withdraws is no longer used, even if no key is left.
    scene.adopt_keys(std::slice::from_ref(&ec.jwk)).await;
    scene.exchange(&ec.sign(&scene.claims())).await.is_token();
    scene.adopt_keys(&[]).await;
    says("no key", ec.sign(&scene.claims())).await;
    let without = "bailiwick_issuer_providers_without_keys";
    assert_eq!(scene.service.metric(without).await.as_deref(), Some("1"));
}

#[tokio::test]
async fn documents_that_are_no_key_set_change_nothing() {
    let scene = Scene::new().await;
    let ec = Signer::es256("e");
    scene.adopt_keys(std::slice::from_ref(&ec.jwk)).await;
    for text in [
        String::new(),
        "<html>".to_owned(),
        "[]".to_owned(),
        json!({ "r": "-----BEGIN CERTIFICATE-----" }).to_string(),
        json!({ "keys": "r" }).to_string(),
        json!({ "keys": { "r": ec.jwk } }).to_string(),
        format!(
            "{{\"keys\":{}{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        ),
        format!("{{\"keys\":[{}]}}", "null,".repeat(250_000)),
    ] {
        scene.adopt(text).await;
        scene.exchange(&ec.sign(&scene.claims())).await.is_token();
    }
}

/// A provider may give its new key the name of the old one.
#[tokio::test]
async fn a_rotation_may_keep_the_name() {
    let scene = Scene::new().await;
    let (old, new) = (Signer::es256("only"), Signer::es256("only"));
    scene.adopt_keys(std::slice::from_ref(&old.jwk)).await;
    scene.exchange(&old.sign(&scene.claims())).await.is_token();
    scene
        .provider
        .publish_text(json!({ "keys": [new.jwk] }).to_string());
    let before = scene.provider.asked();
    // Within the cool-down, no request is sent: anyone can send a wrong signature.
    for _ in 0..3 {
        let refused = scene.exchange(&new.sign(&scene.claims())).await;
        refused.is_oauth(400, "invalid_request");
    }
    assert_eq!(scene.provider.asked(), before);
    scene.service.time.pass(30);
    scene.exchange(&new.sign(&scene.claims())).await.is_token();
    let refused = scene.exchange(&old.sign(&scene.claims())).await;
    refused.is_oauth(400, "invalid_request");
    assert_eq!(scene.provider.asked(), before + 1);
}

#[tokio::test]
async fn the_log_names_what_is_left_out() {
    let (log, _recording) = Log::record(Level::INFO);
    let scene = Scene::new().await;
    let ec = Signer::es256("e");
    for (index, (mut key, reason)) in unsound().into_iter().enumerate() {
        let kid = format!("unsound-{index}");
        if let Some(object) = key.as_object_mut()
            && object.get("kid").is_none_or(Value::is_string)
        {
            object.insert("kid".to_owned(), json!(kid));
        }
        scene.adopt_keys(&[key.clone(), ec.jwk.clone()]).await;
        let text = log.text();
        let mut lines = text.lines().filter(|line| line.contains("is ignored"));
        let line = lines.next_back().unwrap().to_owned();
        assert!(line.contains("provider=\"corp\""), "{line}");
        assert!(line.contains(reason), "{key}: {line}");
        if key.get("kid").is_some_and(Value::is_string) {
            assert!(line.contains(&kid), "{key}: {line}");
        }
        // The same set is not logged again.
        let before = text.matches("is ignored").count();
        scene.adopt_keys(&[key, ec.jwk.clone()]).await;
        assert_eq!(log.text().matches("is ignored").count(), before);
    }
    // Texts in key sets and tokens come from strangers.
    let evil = format!("\u{1b}[2J\n\u{202e}{}", "x".repeat(10_000));
    let key = json!({ "kid": evil, "kty": evil });
    scene.adopt_keys(&[key]).await;
    let forged = ec.sign_with(&json!({ "kid": evil }), &scene.claims());
    scene.service.time.pass(30);
    scene.exchange(&forged).await;
    scene.adopt(evil.clone()).await;
    scene.adopt_keys(&vec![Value::Null; 1_000]).await;
    let text = log.text();
    for line in text.lines() {
        assert!(line.len() < 1_500, "{} bytes: {line}", line.len());
        assert!(
            !line.contains(|c: char| c != ' ' && !c.is_ascii_graphic()),
            "{line:?}"
        );
    }
    assert!(text.contains("no known key verifies a JWT"), "{text}");
    assert!(text.contains("more=984"), "{text}");
}
