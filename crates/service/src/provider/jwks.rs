//! JSON Web Keys as providers publish and clients register them (RFC 7517, RFC 7518, RFC 8037, RFC 9864).
//!
//! A key's type decides which algorithms it supports; `alg` can only restrict them. Real providers write
//! integers with leading zero octets, pad base64, repeat keys, and give several keys the same `kid`. None of
//! this is ambiguous, so it is accepted. An unusable key is left out, with the reason, and does not affect the
//! other keys.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, VerificationAlgorithm,
};
use bailiwick_token::json;
use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD,
    },
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    error::AssertionError,
    jwt::{Header, Jwt},
};
use crate::algorithm::{algorithm, names};

/// Maximum number of keys of a provider.
const MAX_KEYS: usize = 512;

/// Maximum number of keys to try on one JWT. There must be a limit: anyone can send a JWT, and a verification
/// with an RSA key of 8192 bits takes a fifth of a millisecond.
const MAX_TRIED: usize = 8;

/// Maximum number of unusable keys that the log names one by one.
const MAX_LOGGED: usize = 16;

/// Maximum length in the log of a name that a provider or a caller chose, in characters.
pub(super) const MAX_SHOWN: usize = 64;

/// Members that only a private key has (RFC 7518, sections 6.2.2 and 6.3.2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// A published key set: the keys that verify JWTs, and those that were left out.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    keys: Vec<JwtKey>,
    left_out: Vec<LeftOut>,
    /// Number of keys beyond the first [`MAX_KEYS`], which are not read.
    unread: usize,
}

/// A public key that verifies JWTs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JwtKey {
    kid: Option<String>,
    x5t: Option<String>,
    x5t_s256: Option<String>,
    algorithms: Vec<Algorithm>,
    material: Material,
}

#[derive(Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point (SEC 1, section 2.3.3).
    Ec(Vec<u8>),
    Ed(Vec<u8>),
}

/// A published key that cannot be used. Its texts are cut off and escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) kid: String,
    pub(super) kty: String,
    pub(super) reason: LeftOutReason,
}

/// The reason why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LeftOutReason {
    #[error("it is not a JSON object")]
    NoObject,
    #[error("its `{0}` is missing or malformed")]
    Member(&'static str),
    #[error("it is a shared secret, which must not be published")]
    Secret,
    #[error("its private half is published with it, so anyone can sign; replace the key")]
    Private,
    #[error("it is not for signatures (`{0}`)")]
    OtherUse(String),
    #[error("keys of this type are not supported")]
    Type,
    #[error("the curve `{0}` is not supported")]
    Curve(String),
    #[error("it is an RSA key of {0} bits, but only 2048 to 8192 are supported")]
    Size(usize),
    #[error("its `alg` (`{0}`) is not supported for a key of its type")]
    Algorithm(String),
    #[error("it is not a valid public key")]
    Invalid,
}

/// The keys that may have signed a JWT, or the reason why there are none.
enum Candidates<'a> {
    Keys(Vec<&'a JwtKey>),
    /// More than [`MAX_TRIED`] keys match.
    TooMany,
    /// The keys that the JWT names are for other algorithms.
    OtherAlgorithm,
    /// The key that the JWT names cannot be used.
    LeftOut,
    Unknown,
}

impl KeySet {
    /// Parses a JWK set. A key that cannot be used does not affect the others.
    ///
    /// # Errors
    /// [`serde_json::Error`] if the document is not a JWK set at all.
    pub(super) fn parse(document: &[u8]) -> Result<KeySet, serde_json::Error> {
        #[derive(Deserialize)]
        struct Published {
            keys: Vec<Value>,
        }
        // A byte order mark may be ignored (RFC 8259, section 8.1).
        let document = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
        let Published { keys } = json::from_slice(document)?;
        let mut set = KeySet {
            unread: keys.len().saturating_sub(MAX_KEYS),
            ..KeySet::default()
        };
        for jwk in keys.iter().take(MAX_KEYS) {
            match JwtKey::read(jwk) {
                // GitHub Enterprise Server publishes the same key twice.
                Ok(key) if set.keys.contains(&key) => {}
                Ok(key) => set.keys.push(key),
                Err(reason) => set.left_out.push(LeftOut::new(jwk, reason)),
            }
        }
        Ok(set)
    }

    /// Number of usable keys.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Logs the unusable keys, if they differ from those of `before`.
    pub(super) fn log(&self, provider: &str, before: Option<&KeySet>) {
        // Keys are fetched every few minutes, so the same findings are logged once.
        if before
            .is_some_and(|before| before.left_out == self.left_out && before.unread == self.unread)
        {
            return;
        }
        for LeftOut { kid, kty, reason } in self.left_out.iter().take(MAX_LOGGED) {
            tracing::warn!(provider, kid, kty, %reason, "a key that the provider publishes is ignored");
        }
        let more = self.left_out.len().saturating_sub(MAX_LOGGED);
        let more = more.saturating_add(self.unread);
        if more > 0 {
            tracing::warn!(
                provider,
                more,
                "more keys that the provider publishes are ignored"
            );
        }
    }

    /// Makes a set of keys that have already been read.
    pub(crate) fn of(keys: Vec<JwtKey>) -> KeySet {
        KeySet {
            keys,
            ..KeySet::default()
        }
    }

    /// Returns the index of the key that signed a JWT.
    ///
    /// # Errors
    /// [`AssertionError`] if none did.
    pub(crate) fn signer(&self, jwt: &Jwt<'_>) -> Result<usize, AssertionError> {
        match self.find(&jwt.header) {
            Candidates::Keys(keys) => {
                let signer = keys
                    .iter()
                    .find(|key| jwt.is_signed_by(&key.decoding_key()));
                let place = signer
                    .and_then(|signer| self.keys.iter().position(|key| std::ptr::eq(key, *signer)));
                place.ok_or(AssertionError::Signature)
            }
            Candidates::TooMany => Err(AssertionError::ManyKeys),
            Candidates::OtherAlgorithm => Err(AssertionError::KeyAlgorithm),
            Candidates::LeftOut => Err(AssertionError::LeftOutKey),
            Candidates::Unknown => Err(AssertionError::UnknownKey),
        }
    }

    /// Finds the keys that may have signed a JWT with this header: those that it names by `kid`, or else by the
    /// thumbprint of a certificate, or else all keys. Only keys for the header's algorithm are returned.
    fn find(&self, header: &Header) -> Candidates<'_> {
        let named = self.named(header);
        let mut fits: Vec<&JwtKey> = Vec::new();
        for key in &named {
            // The same key may be published under several names, and each try costs time.
            let seen = fits.iter().any(|seen| seen.material == key.material);
            if key.algorithms.contains(&header.alg) && !seen {
                fits.push(key);
            }
        }
        let left_out = |kid: &String| {
            let kid = shown(kid, MAX_SHOWN);
            self.left_out.iter().any(|key| key.kid == kid)
        };
        match fits.len() {
            1..=MAX_TRIED => Candidates::Keys(fits),
            0 if header.kid.as_ref().is_some_and(left_out) => Candidates::LeftOut,
            0 if named.is_empty() => Candidates::Unknown,
            0 => Candidates::OtherAlgorithm,
            _ => Candidates::TooMany,
        }
    }

    fn named(&self, header: &Header) -> Vec<&JwtKey> {
        let by = |name: &Option<String>, of: fn(&JwtKey) -> &Option<String>| {
            let same = |key: &&JwtKey| name.is_some() && of(key) == name;
            self.keys.iter().filter(same).collect::<Vec<_>>()
        };
        if header.kid.is_some() {
            let named = by(&header.kid, |key| &key.kid);
            if !named.is_empty() {
                return named;
            }
            // `kid` is optional on either side (RFC 7517, section 4.5), so a key without one may still be
            // the right one. A key with another `kid` is not.
            return self.keys.iter().filter(|key| key.kid.is_none()).collect();
        }
        // SHA-256 comes first, because collisions of SHA-1 can be made.
        for named in [
            by(&header.x5t_s256, |key| &key.x5t_s256),
            by(&header.x5t, |key| &key.x5t),
        ] {
            if !named.is_empty() {
                return named;
            }
        }
        self.keys.iter().collect()
    }
}

impl JwtKey {
    /// Reads a JSON Web Key.
    ///
    /// # Errors
    /// [`LeftOutReason`] if the key cannot verify JWTs here.
    pub(crate) fn read(jwk: &Value) -> Result<JwtKey, LeftOutReason> {
        let jwk = Jwk(jwk.as_object().ok_or(LeftOutReason::NoObject)?);
        let kty = jwk.text("kty")?.ok_or(LeftOutReason::Member("kty"))?;
        if kty == "oct" {
            return Err(LeftOutReason::Secret);
        }
        if PRIVATE.iter().any(|member| jwk.0.contains_key(*member)) {
            return Err(LeftOutReason::Private);
        }
        jwk.is_for_signatures()?;
        let (material, algorithms) = match kty {
            "RSA" => (jwk.rsa()?, RSA),
            "EC" => jwk.point()?,
            "OKP" => (jwk.edwards()?, &[Algorithm::EdDSA][..]),
            _ => return Err(LeftOutReason::Type),
        };
        // `alg` selects among the algorithms of the key's type, and cannot add one. Otherwise, a JWT could be
        // verified in a way that its key was never meant for.
        let algorithms = match jwk.text("alg")? {
            None => algorithms.to_vec(),
            Some(stated) => {
                let one = algorithm(stated).filter(|one| algorithms.contains(one));
                vec![one.ok_or_else(|| LeftOutReason::Algorithm(shown(stated, MAX_SHOWN)))?]
            }
        };
        Ok(JwtKey {
            kid: jwk.kid()?,
            x5t: jwk.text("x5t")?.map(str::to_owned),
            x5t_s256: jwk.text("x5t#S256")?.map(str::to_owned),
            algorithms,
            material,
        })
    }

    /// Converts the key to a JSON Web Key in its plain form: only the members that define the key, its name,
    /// and its algorithm if the key is restricted to one of several.
    pub(crate) fn to_jwk(&self) -> Map<String, Value> {
        let text = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        let mut members = match &self.material {
            Material::Rsa { n, e } => {
                vec![("kty", "RSA".to_owned()), ("n", text(n)), ("e", text(e))]
            }
            Material::Ec(point) => {
                // An uncompressed point is one octet that marks this form, and two coordinates of the same length.
                let (x, y) = point.split_at(1).1.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                vec![
                    ("kty", "EC".to_owned()),
                    ("crv", curve.to_owned()),
                    ("x", text(x)),
                    ("y", text(y)),
                ]
            }
            Material::Ed(point) => {
                vec![
                    ("kty", "OKP".to_owned()),
                    ("crv", "Ed25519".to_owned()),
                    ("x", text(point)),
                ]
            }
        };
        members.extend(self.kid.clone().map(|kid| ("kid", kid)));
        if let (Material::Rsa { .. }, [one]) = (&self.material, self.algorithms.as_slice()) {
            members.extend(names(*one).pop().map(|name| ("alg", name)));
        }
        let members = members.into_iter();
        members
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect()
    }

    /// Converts the key to the form that the JWT library uses.
    fn decoding_key(&self) -> DecodingKey {
        match &self.material {
            Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
            Material::Ec(point) => DecodingKey::from_ec_der(point),
            Material::Ed(point) => DecodingKey::from_ed_der(point),
        }
    }
}

/// The algorithms of RSA keys.
const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// A JWK that is being read.
struct Jwk<'a>(&'a Map<String, Value>);

impl<'a> Jwk<'a> {
    /// Returns a text member. Null and the empty text count as absent, because some libraries write absent
    /// members that way.
    fn text(&self, name: &'static str) -> Result<Option<&'a str>, LeftOutReason> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(LeftOutReason::Member(name)),
        }
    }

    fn kid(&self) -> Result<Option<String>, LeftOutReason> {
        match self.0.get("kid") {
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            _ => Ok(self.text("kid")?.map(str::to_owned)),
        }
    }

    /// Checks that the key is for signatures (RFC 7517, sections 4.2 and 4.3). SPIFFE marks its signing keys
    /// with the use `jwt-svid`.
    fn is_for_signatures(&self) -> Result<(), LeftOutReason> {
        if let Some(other) = self.text("use")?
            && !["sig", "jwt-svid"].contains(&other)
        {
            return Err(LeftOutReason::OtherUse(shown(other, MAX_SHOWN)));
        }
        match self.0.get("key_ops") {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Array(operations)) => {
                let verifies = operations.iter().any(|operation| operation == "verify");
                let other = || LeftOutReason::OtherUse("key_ops".to_owned());
                (operations.is_empty() || verifies)
                    .then_some(())
                    .ok_or_else(other)
            }
            Some(_) => Err(LeftOutReason::Member("key_ops")),
        }
    }

    fn rsa(&self) -> Result<Material, LeftOutReason> {
        let (n, e) = (self.integer("n")?, self.integer("e")?);
        let bits = bits(&n);
        if !(2048..=8192).contains(&bits) {
            return Err(LeftOutReason::Size(bits));
        }
        let components = RsaPublicKeyComponents { n: &n, e: &e };
        // The library checks parity and the size of the exponent only when it verifies, and a key that
        // never verifies anything should be reported when it is fetched.
        let odd = |integer: &[u8]| integer.last().is_some_and(|last| last & 1 == 1);
        let sound = odd(&n) && odd(&e) && e != [1] && self::bits(&e) <= 33;
        let parsed = components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256);
        match sound && parsed.is_ok() {
            true => Ok(Material::Rsa { n, e }),
            false => Err(LeftOutReason::Invalid),
        }
    }

    fn point(&self) -> Result<(Material, &'static [Algorithm]), LeftOutReason> {
        let (size, verifies, algorithms): (usize, &'static dyn VerificationAlgorithm, _) =
            match self.text("crv")?.ok_or(LeftOutReason::Member("crv"))? {
                "P-256" => (32, &ECDSA_P256_SHA256_FIXED, &[Algorithm::ES256][..]),
                "P-384" => (48, &ECDSA_P384_SHA384_FIXED, &[Algorithm::ES384][..]),
                other => return Err(LeftOutReason::Curve(shown(other, MAX_SHOWN))),
            };
        let mut point = vec![4];
        for name in ["x", "y"] {
            let coordinate = self.integer(name)?;
            // RFC 7518, section 6.2.1.2, demands the full length, but some publishers cut off leading zeros.
            let missing = size
                .checked_sub(coordinate.len())
                .ok_or(LeftOutReason::Member(name))?;
            point.extend(std::iter::repeat_n(0, missing));
            point.extend(coordinate);
        }
        ParsedPublicKey::new(verifies, &point).map_err(|_| LeftOutReason::Invalid)?;
        Ok((Material::Ec(point), algorithms))
    }

    fn edwards(&self) -> Result<Material, LeftOutReason> {
        match self.text("crv")?.ok_or(LeftOutReason::Member("crv"))? {
            "Ed25519" => {}
            other => return Err(LeftOutReason::Curve(shown(other, MAX_SHOWN))),
        }
        let point = self.octets("x")?;
        ParsedPublicKey::new(&ED25519, &point).map_err(|_| LeftOutReason::Invalid)?;
        Ok(Material::Ed(point))
    }

    /// Reads an unsigned integer, without leading zero octets (RFC 7518, section 6.3.1.1).
    fn integer(&self, name: &'static str) -> Result<Vec<u8>, LeftOutReason> {
        let octets = self.octets(name)?;
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        Ok(octets.into_iter().skip(zeros).collect())
    }

    /// Reads octets in base64url or base64, padded or not.
    fn octets(&self, name: &'static str) -> Result<Vec<u8>, LeftOutReason> {
        const LENIENT: GeneralPurpose = GeneralPurpose::new(
            &URL_SAFE,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        let text = self.text(name)?.ok_or(LeftOutReason::Member(name))?;
        // Neither alphabet contains the other's two special characters, so the text has only one meaning.
        let text = text.replace('+', "-").replace('/', "_");
        LENIENT
            .decode(text)
            .map_err(|_| LeftOutReason::Member(name))
    }
}

impl LeftOut {
    fn new(jwk: &Value, reason: LeftOutReason) -> LeftOut {
        let member = |name| match jwk.get(name) {
            Some(Value::String(text)) => shown(text, MAX_SHOWN),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        LeftOut {
            kid: member("kid"),
            kty: member("kty"),
            reason,
        }
    }
}

/// Length in bits of an integer without leading zero octets.
fn bits(integer: &[u8]) -> usize {
    let first = integer.first().map_or(0, |first| first.leading_zeros());
    integer
        .len()
        .saturating_mul(8)
        .saturating_sub(first as usize)
}

/// Text of a provider or a caller for the log: cut off after `most` characters, with everything but printable
/// ASCII escaped.
pub(super) fn shown(text: &str, most: usize) -> String {
    let plain = |c: char| c == ' ' || c.is_ascii_graphic();
    let show = |c: char| match plain(c) {
        true => c.to_string(),
        false => c.escape_default().to_string(),
    };
    // The text is cut before it is escaped, so that no escape sequence is cut in half.
    text.chars().take(most).map(show).collect()
}
