//! Vectors of keysets: whether each is accepted, and the decision under it.

mod accepted;
mod made;
mod refused;
mod strict;
mod values;

use bailiwick_token::{
    dsse::EnvelopeError, key::PublicKey, keyset::KeysetError, timestamp::Timestamp,
};
use bailiwick_verifier::{RollbackError, Trust, TrustError, Verifier};
use serde::{Deserialize, Serialize};

use super::file::{self, assert_none};

/// The file `keysets.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct Keysets {
    format: u32,
    about: String,
    service: String,
    /// A good token of the root key, and a call that it grants. The decision shows whether a verifier with the
    /// keyset trusts the key.
    token: String,
    call: String,
    pub(super) cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    about: String,
    time: Timestamp,
    /// Text form of a public key, which may be unusable.
    keyset_key: String,
    /// The keyset that the verifier has, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_use: Option<String>,
    /// The exact text of the signed file.
    file: String,
    /// The reason for a refusal, by a name that only these vectors use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// The decision on the token and the call under a keyset that is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
}

impl Case {
    /// The result in one line.
    pub(super) fn result(&self) -> String {
        match (&self.refused, &self.decision) {
            (Some(fault), None) => fault.clone(),
            (None, Some(decision)) => format!("accepted, {decision}"),
            _ => panic!("{} has either a refusal or a decision", self.name),
        }
    }
}

#[test]
fn the_product_judges_keysets_as_the_file_says() {
    let file = current();
    let wrong = file.cases.iter().filter_map(|case| {
        let found = judged(&file, case).map_or_else(
            |fault| fault.to_owned(),
            |decision| format!("accepted, {decision}"),
        );
        let expected = case.result();
        (found != expected).then(|| format!("{}: {expected} expected, {found} found", case.name))
    });
    assert_none(&wrong.collect::<Vec<_>>());
}

pub(super) fn current() -> Keysets {
    file::current("keysets", &made::made())
}

/// The decision under a keyset, or the reason for its refusal.
fn judged(file: &Keysets, case: &Case) -> Result<String, &'static str> {
    let key: PublicKey = case.keyset_key.parse().map_err(|_| "malformed")?;
    let open = |text: &str| Trust::open(text.as_bytes(), &key, None);
    let offered = open(&case.file).map_err(|error| fault(&error))?;
    let first = match &case.in_use {
        None => offered.clone(),
        Some(text) => open(text).expect("a keyset in use"),
    };
    let verifier = Verifier::new(&file.service, first).expect("a service name");
    verifier
        .replace_trust(offered)
        .map_err(|error| match error {
            RollbackError::Issuer => "other_issuer",
            RollbackError::Version { .. } => "rollback",
            RollbackError::Fork(_) => "fork",
            _ => "something else",
        })?;
    Ok(file::decision(
        &verifier,
        &file.token,
        &file.call,
        case.time,
    ))
}

fn fault(error: &TrustError) -> &'static str {
    let TrustError::Keyset(error) = error else {
        return "something else";
    };
    match error {
        KeysetError::Envelope(EnvelopeError::WrongType { .. }) => "wrong_type",
        KeysetError::Envelope(EnvelopeError::NotSigned { .. }) => "not_signed",
        KeysetError::Envelope(
            EnvelopeError::Malformed { .. } | EnvelopeError::TooManySignatures,
        )
        | KeysetError::Malformed(_)
        | KeysetError::NoIssuer => "malformed",
        KeysetError::NoLife => "no_life",
        KeysetError::TooMany => "too_many",
        KeysetError::ManyActive => "many_active",
        KeysetError::WrongId(_) => "wrong_id",
        KeysetError::Duplicate(_) | KeysetError::DuplicateTombstone => "duplicate",
        _ => "something else",
    }
}
