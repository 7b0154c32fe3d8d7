//! Vectors of tokens: the content that a reader finds in each, and the decisions with it.

mod calls;
mod encoding;
mod envelope;
mod excluded;
mod far;
mod forged;
mod honest;
mod limits;
mod narrowed;

pub(super) use honest::{handed_on, named};

use bailiwick_testkit::{Root, SERVICE};
use bailiwick_token::{key::PublicKey, timestamp::Timestamp, token::Token};
use bailiwick_verifier::{Trust, Verifier};
use serde::{Deserialize, Serialize};

use super::file::{self, Decided, FORMAT, assert_none};

/// The file `tokens.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct Tokens {
    format: u32,
    about: String,
    service: String,
    keyset_key: PublicKey,
    keyset: String,
    pub(super) cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    about: String,
    time: Timestamp,
    pub(super) token: String,
    /// The result for the signature chain alone, from the root key that the keyset lists under the token's key id.
    pub(super) signatures: Signatures,
    /// True if the form around the blocks is refused, even if a Biscuit library verifies the signatures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) misformed: bool,
    /// The content, as a reader shows it; only of tokens that follow the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reads: Option<Reads>,
    /// True if a reader must show nothing of the token, even if a Biscuit library verifies the signatures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) unreadable: bool,
    calls: Vec<Decided>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Signatures {
    Valid,
    Invalid,
}

/// The claims of a token, the chain of its appended blocks, and the times between which it is valid.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Reads {
    issuer: String,
    token_id: String,
    agent: String,
    principal: String,
    tenant: Option<String>,
    issued_at: Timestamp,
    not_before: Timestamp,
    expires: Timestamp,
    sealed: bool,
    /// The signature of the authority block, by which the token and all that derive from it can be revoked.
    revocation_id: String,
    chain: Vec<Link>,
}

/// One appended block.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Link {
    delegate: Option<String>,
    task: Option<String>,
    revocation_id: String,
}

#[test]
fn the_product_decides_on_tokens_as_the_file_says() {
    let file = current();
    let trust = Trust::open(file.keyset.as_bytes(), &file.keyset_key, None).expect("a keyset");
    let verifier = Verifier::new(&file.service, trust).expect("a service name");
    let mut wrong = Vec::new();
    for case in &file.cases {
        assert!(!case.calls.is_empty(), "{} has no calls", case.name);
        for Decided { call, decision } in &case.calls {
            let found = file::decision(&verifier, &case.token, call, case.time);
            if found != *decision {
                let name = &case.name;
                wrong.push(format!(
                    "{name}, {call}: {decision} expected, {found} found"
                ));
            }
        }
    }
    assert_none(&wrong);
}

/// The file states the content of every token that a verifier admits. A reader need not make sense of the others.
#[test]
fn the_product_reads_tokens_as_the_file_says() {
    for case in &current().cases {
        let admitted = case.calls.iter().any(|call| call.decision == file::ALLOW);
        if let Some(reads) = &case.reads {
            assert_eq!(read(&case.token), *reads, "{}", case.name);
        } else if case.unreadable {
            let outside = case.calls.iter().all(|call| call.decision == "not_profile");
            let shows = match Token::parse(&case.token) {
                // A Biscuit outside the profile can be parsed, and must show no claims.
                Ok(token) => !outside || token.inspect().claims.is_some(),
                Err(_) => false,
            };
            assert!(!shows, "{} can be read", case.name);
        } else {
            assert!(!admitted, "{} says nothing of its content", case.name);
        }
    }
}

pub(super) fn current() -> Tokens {
    file::current("tokens", &made())
}

fn made() -> Tokens {
    let root = Root::fixed();
    let groups = [
        honest::all(&root),
        narrowed::all(&root),
        calls::all(&root),
        forged::all(&root),
        envelope::all(&root),
        encoding::all(&root),
        limits::all(&root),
        excluded::all(&root),
        far::all(&root),
    ];
    Tokens {
        format: FORMAT,
        about: "Tokens: whether their signatures verify, their content, and the decision on calls with them"
            .to_owned(),
        service: SERVICE.to_owned(),
        keyset_key: root.keyset_public(),
        keyset: root.keyset().sign(&root.keyset_key).to_json(),
        cases: groups.into_iter().flatten().collect(),
    }
}

/// The content of a token, by the inspection that the command line shows.
fn read(token: &str) -> Reads {
    let inspection = Token::parse(token).expect("a token").inspect();
    let effective = inspection.effective().expect("few combinations");
    let claims = inspection.claims.expect("a token of the profile");
    let mut blocks = inspection.blocks.into_iter();
    let authority = blocks.next().expect("an authority block");
    Reads {
        issuer: claims.issuer,
        token_id: claims.token_id,
        agent: claims.agent,
        principal: claims.principal,
        tenant: claims.tenant,
        issued_at: claims.issued_at,
        not_before: effective.not_before.expect("a beginning"),
        expires: effective.expires.expect("an end"),
        sealed: inspection.sealed,
        revocation_id: authority.revocation_id,
        chain: blocks
            .map(|block| Link {
                delegate: block.delegate,
                task: block.task,
                revocation_id: block.revocation_id,
            })
            .collect(),
    }
}
