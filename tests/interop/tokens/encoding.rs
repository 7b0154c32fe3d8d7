//! Correctly signed blocks whose content breaks the schema or the profile.

use bailiwick_testkit::{
    Root,
    forge::{self, AUTHORITY, Forge, public},
};
use biscuit_auth::{
    Algorithm, KeyPair, PrivateKey,
    datalog::SymbolTable,
    format::schema::{self, Op, OpBinary, Term, TermSet, op, proof, term::Content},
};
use prost::Message;

use super::{Case, Signatures, forged::refused};

/// The only call that tokens of [`AUTHORITY`] grant.
const SMALL_ORDER: &str = r#"{"action":"order"}"#;

pub(super) fn all(root: &Root) -> Vec<Case> {
    let mut all = symbols(root);
    all.extend(versions(root));
    all.extend(datalog(root));
    all.extend(keys(root));
    all
}

fn symbols(root: &Root) -> Vec<Case> {
    let adds = |symbols: &[&str]| {
        changed(root, |block| {
            block
                .symbols
                .extend(symbols.iter().map(|&text| text.to_owned()));
        })
    };
    vec![
        malformed(
            "symbol-twice",
            "a symbol that a block adds twice, so that two numbers mean one name",
            &adds(&["twice", "twice"]),
            Signatures::Valid,
        ),
        malformed(
            "symbol-of-an-earlier-block",
            "a symbol that an earlier block has added",
            &adds(&["agent:orchestrator"]),
            Signatures::Invalid,
        ),
        malformed(
            "symbol-that-everybody-has",
            "a symbol of the default table",
            &adds(&["time"]),
            Signatures::Invalid,
        ),
        malformed(
            "symbol-missing",
            "a number that no symbol has",
            &with_term(root, Content::String(9999)),
            Signatures::Valid,
        ),
        malformed(
            "symbol-in-the-gap",
            "a number between the default symbols and 1024",
            &with_term(root, Content::String(28)),
            Signatures::Valid,
        ),
    ]
}

/// The versions of Datalog that blocks declare.
fn versions(root: &Root) -> Vec<Case> {
    let declares = |version, code: &str| {
        Forge::honest(root).append_changed(code, |block| block.version = Some(version))
    };
    let unknown = |name, about, version| {
        let token = declares(version, "check if true;");
        refused(
            name,
            about,
            token.text(),
            Signatures::Valid,
            SMALL_ORDER,
            "unsupported",
        )
    };
    vec![
        unknown("datalog-2", "a version of Datalog before 3.0", 2),
        unknown("datalog-7", "a version of Datalog after 3.3", 7),
        malformed(
            "newer-operator",
            "an operator of 3.1 in a block that declares 3.0",
            &declares(3, "check if action($a), $a !== \"x\";"),
            Signatures::Valid,
        ),
        malformed(
            "newer-term",
            "an array in a block that declares 3.2; biscuit-auth does not look for arrays",
            &declares(5, "tags([1, 2]);"),
            Signatures::Valid,
        ),
        malformed(
            "newer-kind-of-check",
            "a `check all` in a block that declares 3.0",
            &declares(3, "check all action($a), $a.starts_with(\"o\");"),
            Signatures::Valid,
        ),
    ]
}

fn datalog(root: &Root) -> Vec<Case> {
    let set = |terms: Vec<Content>| {
        let set = terms.into_iter().map(term).collect();
        Content::Set(TermSet { set })
    };
    let ops = |ops: Vec<op::Content>| {
        changed(root, |block| {
            let ops = ops.into_iter().map(|content| Op {
                content: Some(content),
            });
            block.checks[0].queries[0].expressions[0].ops = ops.collect();
        })
    };
    let unbound = op::Content::Value(term(Content::Variable(1024)));
    let yes = || op::Content::Value(term(Content::Bool(true)));
    let unknown = op::Content::Binary(OpBinary {
        kind: 99,
        ffi_name: None,
    });
    let mut symbols = SymbolTable::new();
    let code = format!("{AUTHORITY}grant($x) <- service(\"erp\"), action($x);");
    let mut authority = forge::block(&code, &mut symbols);
    let rule = authority.rules.last_mut().expect("a rule");
    rule.body[1].terms = vec![term(Content::String(1024))];
    let grants_anything = Forge::authority_bytes(root, authority.encode_to_vec());
    vec![
        malformed(
            "fact-with-variable",
            "a fact that holds a variable, and would match everything",
            &with_term(root, Content::Variable(1025)),
            Signatures::Valid,
        ),
        malformed(
            "set-in-set",
            "a set in a set",
            &with_term(root, set(vec![set(vec![Content::Integer(1)])])),
            Signatures::Valid,
        ),
        malformed(
            "set-of-two-types",
            "a set of an integer and a boolean",
            &with_term(root, set(vec![Content::Integer(1), Content::Bool(true)])),
            Signatures::Valid,
        ),
        malformed(
            "empty-term",
            "a term without a value",
            &changed(root, |block| {
                block.facts[0].predicate.terms = vec![Term { content: None }];
            }),
            Signatures::Valid,
        ),
        malformed(
            "unknown-kind-of-check",
            "an unknown kind of check",
            &changed(root, |block| block.checks[0].kind = Some(3)),
            Signatures::Valid,
        ),
        malformed(
            "check-with-a-head",
            "a check whose head has a term",
            &changed(root, |block| {
                block.checks[0].queries[0].head.terms = vec![term(Content::Integer(1))];
            }),
            Signatures::Valid,
        ),
        malformed(
            "unknown-operator",
            "an unknown operator",
            &ops(vec![yes(), yes(), unknown]),
            Signatures::Valid,
        ),
        malformed(
            "unbound-variable",
            "an expression with a variable that no predicate binds",
            &ops(vec![unbound]),
            Signatures::Valid,
        ),
        malformed(
            "unbound-grant",
            "a grant of an action that its body does not bind",
            &grants_anything,
            Signatures::Valid,
        ),
    ]
}

/// Keys, signatures and proofs that strict verification refuses.
fn keys(root: &Root) -> Vec<Case> {
    let append = |key: schema::PublicKey| Forge::honest(root).append_with_key("", key);
    let ed25519 = |digits: &str| schema::PublicKey {
        algorithm: 0,
        key: hex::decode(digits).expect("hex"),
    };
    let identity = format!("01{}", "00".repeat(31));
    let second_form = format!("f0{}7f", "ff".repeat(30));
    let private = PrivateKey::from_bytes(&[5; 32], Algorithm::Secp256r1).expect("a key");
    let p256 = schema::PublicKey {
        algorithm: 1,
        key: KeyPair::from(&private).public().to_bytes(),
    };
    // The identity point and a zero scalar are a signature of every message under the identity point.
    let mut of_nobody = vec![0; 64];
    of_nobody[0] = 1;
    let continued = append(ed25519(&identity)).changed(|token| {
        token.blocks.push(schema::SignedBlock {
            block: vec![0x18, 6],
            next_key: public(&root.key),
            signature: of_nobody,
            external_signature: None,
            version: Some(1),
        });
        let secret = root.key.to_bytes().to_vec();
        token.proof.content = Some(proof::Content::NextSecret(secret));
    });
    let narrow = || Forge::honest(root).append("check if action(\"order\");");
    let proof =
        |content: Option<proof::Content>| narrow().changed(|token| token.proof.content = content);
    let invalid = |name, about, token: &Forge, reason| {
        refused(
            name,
            about,
            token.text(),
            Signatures::Invalid,
            SMALL_ORDER,
            reason,
        )
    };
    vec![
        invalid(
            "small-order-key",
            "a next key of small order, and a block that nobody signed under it",
            &continued,
            "unsupported",
        ),
        invalid(
            "second-form-of-a-key",
            "a next key whose y is not reduced",
            &append(ed25519(&second_form)),
            "unsupported",
        ),
        invalid(
            "p256-key",
            "a next key of P-256",
            &append(p256),
            "unsupported",
        ),
        invalid(
            "signature-version-2",
            "a signature of an unknown version",
            &Forge::honest(root).append_signed(vec![0x18, 6], Some(2)),
            "unsupported",
        ),
        invalid(
            "second-form-of-a-signature",
            "a signature whose scalar is not reduced: s + l",
            &narrow().changed(|token| {
                add_order(&mut token.blocks[0].signature[32..]);
            }),
            "bad_signature",
        ),
        invalid(
            "short-signature",
            "a signature of 63 bytes",
            &narrow().changed(|token| token.blocks[0].signature.truncate(63)),
            "malformed",
        ),
        invalid("no-proof", "no proof", &proof(None), "malformed"),
        invalid(
            "short-secret",
            "a secret of 31 bytes",
            &proof(Some(proof::Content::NextSecret(vec![7; 31]))),
            "malformed",
        ),
        invalid(
            "short-seal",
            "a seal of 63 bytes",
            &proof(Some(proof::Content::FinalSignature(vec![7; 63]))),
            "malformed",
        ),
    ]
}

/// Adds the group order of Ed25519 to a scalar.
fn add_order(scalar: &mut [u8]) {
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let mut carry = 0;
    for (byte, added) in scalar.iter_mut().zip(hex::decode(order).expect("hex")) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
}

fn term(content: Content) -> Term {
    Term {
        content: Some(content),
    }
}

/// Appends a block with a fact and a check, and changes it before signing.
fn changed(root: &Root, change: impl FnOnce(&mut schema::Block)) -> Forge {
    Forge::honest(root).append_changed("seen(1); check if action($a), true;", change)
}

fn with_term(root: &Root, content: Content) -> Forge {
    changed(root, |block| {
        block.facts[0].predicate.terms = vec![term(content)]
    })
}

fn malformed(name: &str, about: &str, token: &Forge, signatures: Signatures) -> Case {
    refused(
        name,
        about,
        token.text(),
        signatures,
        SMALL_ORDER,
        "malformed",
    )
}
