//! An OpenID provider whose behaviour the test controls.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair, RsaKeyPair,
    },
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// A key pair of a provider.
pub struct Signer {
    pub kid: String,
    pub algorithm: Algorithm,
    key: EncodingKey,
    /// The public half, as published.
    pub jwk: Value,
    /// Encodings of the public half that an attacker could try as a shared secret.
    pub public: Vec<Vec<u8>>,
    /// The private half in DER.
    pub private: Vec<u8>,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    pub fn rs256(kid: &str) -> Signer {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let modulus = pair.public_key().modulus();
        let exponent = pair.public_key().exponent();
        let n = encode(modulus.big_endian_without_leading_zero());
        let e = encode(exponent.big_endian_without_leading_zero());
        let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let spki = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key());
        let jwk = json!({ "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": n, "e": e });
        // In PKCS#8, 26 bytes precede the PKCS#1 structure of a 2048-bit key.
        let private = pkcs8.as_ref()[26..].to_vec();
        let public = vec![
            pair.public_key().as_ref().to_vec(),
            spki.unwrap().as_ref().to_vec(),
            n.into_bytes(),
            jwk.to_string().into_bytes(),
        ];
        Signer {
            kid: kid.to_owned(),
            algorithm: Algorithm::RS256,
            key: EncodingKey::from_rsa_der(&private),
            jwk,
            public,
            private,
        }
    }

    pub fn es256(kid: &str) -> Signer {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap();
        // An uncompressed point: the byte 4 and two coordinates.
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (encode(x), encode(y));
        Signer {
            kid: kid.to_owned(),
            algorithm: Algorithm::ES256,
            key: EncodingKey::from_ec_der(pkcs8.as_ref()),
            jwk: json!({ "kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": x, "y": y }),
            public: vec![pair.public_key().as_ref().to_vec()],
            private: pkcs8.as_ref().to_vec(),
        }
    }

    pub fn es384(kid: &str) -> Signer {
        let algorithm = &ECDSA_P384_SHA384_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(48);
        let (x, y) = (encode(x), encode(y));
        Signer {
            kid: kid.to_owned(),
            algorithm: Algorithm::ES384,
            key: EncodingKey::from_ec_der(pkcs8.as_ref()),
            jwk: json!({ "kty": "EC", "crv": "P-384", "kid": kid, "use": "sig", "x": x, "y": y }),
            public: vec![pair.public_key().as_ref().to_vec()],
            private: pkcs8.as_ref().to_vec(),
        }
    }

    pub fn eddsa(kid: &str) -> Signer {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8.as_ref()).unwrap();
        let x = encode(pair.public_key().as_ref());
        Signer {
            kid: kid.to_owned(),
            algorithm: Algorithm::EdDSA,
            key: EncodingKey::from_ed_der(pkcs8.as_ref()),
            jwk: json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "x": x }),
            public: vec![pair.public_key().as_ref().to_vec()],
            private: pkcs8.as_ref().to_vec(),
        }
    }

    /// The same key pair, but signing with another algorithm for its key type.
    pub fn by(mut self, algorithm: Algorithm) -> Signer {
        self.algorithm = algorithm;
        self
    }

    fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": self.algorithm, "kid": self.kid })
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_under(&self.header(), claims)
    }

    /// Signs claims, with these members added to the header or replacing others in it.
    pub fn sign_with(&self, members: &Value, claims: &Value) -> String {
        let mut header = self.header();
        let members = members.as_object().unwrap().clone();
        header.as_object_mut().unwrap().extend(members);
        self.sign_under(&header, claims)
    }

    fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

fn message(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    )
}

/// A JWT without a signature.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.", message(header, claims))
}

/// A JWT authenticated by a shared secret.
pub fn under_secret(secret: &[u8], kid: &str, claims: &Value) -> String {
    let message = message(&json!({ "typ": "JWT", "alg": "HS256", "kid": kid }), claims);
    let key = EncodingKey::from_secret(secret);
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

/// The behaviours of a provider.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    Down,
    /// The key set is a document of two megabytes.
    Verbose,
    /// The key set redirects to another path.
    Elsewhere,
    /// The configuration names another issuer.
    Disguised,
    /// The provider accepts requests but never answers.
    Silent,
    /// The provider accepts requests, and answers only after [`Provider::release`] is called.
    Held,
}

struct Inner {
    issuer: String,
    keys: Vec<Value>,
    text: Option<String>,
    mood: Mood,
    asked: usize,
    led_away: usize,
    released: Arc<Semaphore>,
}

type Shared = Arc<Mutex<Inner>>;

/// A running provider.
pub struct Provider {
    pub issuer: String,
    inner: Shared,
}

impl Provider {
    pub async fn start(keys: &[&Signer]) -> Provider {
        Provider::start_below("", keys).await
    }

    /// Starts a provider whose issuer, as its configuration document states it, is a URL with this path.
    pub async fn start_below(path: &str, keys: &[&Signer]) -> Provider {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = listener.await.unwrap();
        let issuer = format!("http://{}{path}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner {
            issuer: issuer.clone(),
            keys: Vec::new(),
            text: None,
            mood: Mood::Well,
            asked: 0,
            led_away: 0,
            released: Arc::new(Semaphore::new(0)),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/elsewhere", get(elsewhere))
            .with_state(Arc::clone(&inner));
        let router = match path.trim_end_matches('/') {
            "" => router,
            path => Router::new().nest(path, router),
        };
        tokio::spawn(async move { axum::serve(listener, router).await });
        let provider = Provider { issuer, inner };
        provider.publish(keys);
        provider
    }

    /// The section of `service.toml` for this provider.
    pub fn config(&self) -> String {
        format!(
            "[[provider]]\nname = \"corp\"\nissuer = \"{}\"\naudience = \"bailiwick\"\nmax_life = 3600\n",
            self.issuer
        )
    }

    pub fn publish(&self, keys: &[&Signer]) {
        self.inner.lock().unwrap().keys = keys.iter().map(|key| key.jwk.clone()).collect();
    }

    /// Publishes this text instead of a key set.
    pub fn publish_text(&self, text: String) {
        self.inner.lock().unwrap().text = Some(text);
    }

    pub fn publish_also(&self, key: Value) {
        self.inner.lock().unwrap().keys.push(key);
    }

    pub fn becomes(&self, mood: Mood) {
        self.inner.lock().unwrap().mood = mood;
    }

    /// Answers all held requests, and holds no further ones.
    pub fn release(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.mood = Mood::Well;
        inner.released.add_permits(Semaphore::MAX_PERMITS);
    }

    /// Number of requests for the provider's keys.
    pub fn asked(&self) -> usize {
        self.inner.lock().unwrap().asked
    }

    /// Number of requests that followed the redirect.
    pub fn led_away(&self) -> usize {
        self.inner.lock().unwrap().led_away
    }
}

async fn discovery(State(inner): State<Shared>) -> Response {
    let (issuer, mood) = {
        let inner = inner.lock().unwrap();
        (inner.issuer.clone(), inner.mood)
    };
    let stated = match mood {
        Mood::Down => return StatusCode::BAD_GATEWAY.into_response(),
        Mood::Silent => return std::future::pending().await,
        Mood::Disguised => "https://another.example".to_owned(),
        _ => issuer.clone(),
    };
    let jwks_uri = format!("{}/jwks", issuer.trim_end_matches('/'));
    axum::Json(json!({ "issuer": stated, "jwks_uri": jwks_uri })).into_response()
}

async fn jwks(State(inner): State<Shared>) -> Response {
    let held = {
        let mut inner = inner.lock().unwrap();
        inner.asked += 1;
        (inner.mood == Mood::Held).then(|| Arc::clone(&inner.released))
    };
    if let Some(released) = held {
        let _ = released.acquire().await.unwrap();
    }
    let inner = inner.lock().unwrap();
    let body = json!({ "keys": inner.keys });
    if let Some(text) = &inner.text {
        return ([(header::CONTENT_TYPE, "application/json")], text.clone()).into_response();
    }
    match inner.mood {
        Mood::Down => StatusCode::BAD_GATEWAY.into_response(),
        Mood::Verbose => {
            let body = json!({ "keys": inner.keys, "more": "x".repeat(2 << 20) });
            axum::Json(body).into_response()
        }
        Mood::Elsewhere => {
            let location = format!("{}/elsewhere", inner.issuer);
            (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
        }
        _ => axum::Json(body).into_response(),
    }
}

async fn elsewhere(State(inner): State<Shared>) -> Response {
    let mut inner = inner.lock().unwrap();
    inner.led_away += 1;
    axum::Json(json!({ "keys": inner.keys })).into_response()
}
