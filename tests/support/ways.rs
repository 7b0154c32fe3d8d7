//! Comparison of two ways to decide: on typed conditions where possible, and with the engine alone.

use bailiwick_token::{caveat::Caveat, grant::Grants, limits, timestamp::Timestamp, token::Token};
use bailiwick_verifier::{Call, Decision, Limits, Policy, Reason, Verifier};
use biscuit_auth::{UnverifiedBiscuit, builder::BlockBuilder};
use proptest::{collection, prelude::*, sample::select};

use super::random::{self, RandomCall};

/// Policies of a service: none, and some that test the token's grants and the call.
const POLICIES: [&str; 8] = [
    "",
    "check if grant($a);",
    "check if grant($a), action($b), $a === $b; allow if true;",
    "check all grant($a), $a.starts_with(\"order\");",
    "deny if arg(\"amount\", $v), $v > 3; allow if grant($a);",
    r#"deny if meets("vendor", "{\"max_len\":2,\"optional\":[false]}"); allow if true;"#,
    r#"check if meets("amount", "{\"optional\":[true],\"present\":{\"empty\":false}}") or during("{\"days\":[\"mon\"],\"from\":\"00:00\",\"to\":\"12:00\",\"zone\":\"Europe/Berlin\"}");"#,
    "limit($m) <- num(\"amount\", $m); check if limit($m), $m <= 5000000; allow if agent($a);",
];

/// Blocks that a holder might write by hand and append.
const BLOCKS: [&str; 11] = [
    "",
    "delegate(\"x\");",
    "check if grant($a), $a.starts_with(\"order\");",
    "check all grant($a), $a !== \"order:create\";",
    "check if arg(\"amount\", $v), $v <= 5;",
    "check if action(\"order:read\"), 1 / 0 === 1;",
    "check if service(\"erp\"), action($x), $x.starts_with(\"order:\"), arg(\"vendor\", $a), $a.starts_with(\"a\") or service(\"erp\");",
    r#"check if meets("vendor", "{\"max_len\":2,\"optional\":[true]}"), action($a), $a.starts_with("order");"#,
    r#"check all meets("amount", "{\"optional\":[true],\"present\":{\"empty\":true}}"), action($a), $a.starts_with("order");"#,
    "check if depth($d), $d <= 1;",
    "check if agent($a), principal($p), $a !== $p; check if resource($r);",
];

/// Grants, blocks that narrow them, and calls.
#[derive(Debug, Clone)]
pub struct Case {
    pub grants: Grants,
    scopes: Vec<Grants>,
    blocks: Vec<&'static str>,
    policy: &'static str,
    calls: Vec<RandomCall>,
}

pub fn case() -> impl Strategy<Value = Case> {
    let of_grants = random::grants().prop_flat_map(|grants| {
        let calls = collection::vec(random::call_for(grants.clone()), 20);
        (Just(grants), calls, any::<bool>())
    });
    let scopes = collection::vec(random::grants(), 0..3);
    let blocks = collection::vec(select(&BLOCKS[..]), 0..2);
    (of_grants, scopes, blocks, select(&POLICIES[..])).prop_map(
        |((grants, calls, same), mut scopes, blocks, policy)| {
            scopes.extend(same.then(|| grants.clone()));
            Case {
                grants,
                scopes,
                blocks,
                policy,
                calls,
            }
        },
    )
}

impl Case {
    /// Narrows a token; `None` if it becomes too large.
    pub fn narrow(&self, mut token: Token) -> Option<Token> {
        for grants in &self.scopes {
            let scope = Caveat {
                scope: Some(grants.clone()),
                ..Caveat::default()
            };
            token = token.attenuate(&scope).unwrap_or(token);
        }
        for code in &self.blocks {
            let biscuit = UnverifiedBiscuit::from(token.as_bytes()).expect("a Biscuit");
            let block = BlockBuilder::new().code(code).expect("Datalog");
            let appended = biscuit.append(block).expect("an open token");
            token = Token::from_bytes(appended.to_vec().expect("bytes")).expect("a token");
        }
        limits::TokenLimits::default()
            .check(&token)
            .ok()
            .map(|()| token)
    }

    /// Decides all calls in both ways, and returns an error at the first difference.
    pub fn compare(
        &self,
        verifier: impl Fn() -> Verifier,
        token: &Token,
        now: Timestamp,
    ) -> Result<(), String> {
        let (verifiers, text) = (both(verifier, self.policy), token.to_base64());
        self.calls
            .iter()
            .try_for_each(|call| agreed(&verifiers, &text, &call.request(), now).map(drop))
    }
}

/// A verifier that decides on typed conditions if possible, and one that uses the engine alone. Neither reaches
/// a limit.
pub fn both(verifier: impl Fn() -> Verifier, policy: &str) -> [Verifier; 2] {
    let limits = Limits {
        fuel: 1 << 40,
        memory: 1 << 30,
        explain: 1 << 40,
        ..Limits::default()
    };
    let verifier = || {
        let verifier = verifier().limits(limits.clone());
        match policy {
            "" => verifier,
            policy => {
                let policy = Policy::parse(policy).expect("a policy");
                verifier.policy(&policy).expect("a policy that was read")
            }
        }
    };
    [verifier(), verifier().engine_only()]
}

/// The common reason of both verifiers; an error if they differ, or allow by different grants.
pub fn agreed(
    verifiers: &[Verifier; 2],
    token: &str,
    request: &Call,
    now: Timestamp,
) -> Result<Option<Reason>, String> {
    let decisions = verifiers
        .each_ref()
        .map(|one| one.check(token, request, now));
    let [typed, engine] = &decisions;
    let same = match (typed, engine) {
        (Decision::Allow(typed), Decision::Allow(engine)) => typed.grant() == engine.grant(),
        _ => typed.reason() == engine.reason(),
    };
    match same {
        true => Ok(typed.reason()),
        false => Err(format!(
            "typed {typed:?}, engine {engine:?}, of {request:?}"
        )),
    }
}
