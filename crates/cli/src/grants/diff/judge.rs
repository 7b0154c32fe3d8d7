//! Decisions on calls under two files of grants, by the verifier and with throw-away keys.

use std::collections::HashMap;

use bailiwick_token::{
    grant::{
        Grants,
        difference::{Example, Judgement},
    },
    timestamp::Timestamp,
};
use bailiwick_verifier::{Call, Decision, Values, Verifier};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Failure},
    grants::throwaway::ThrowawayIssuer,
};

/// A condition that a call does not meet, in the verifier's own JSON. Only members that do not depend on the call are
/// read.
#[derive(Deserialize)]
struct Unmet {
    alternative: Option<u64>,
    condition: Option<String>,
    argument: Option<String>,
    needed: Option<serde_json::Value>,
    text: String,
}

#[derive(Deserialize)]
struct Explained {
    explain: Vec<Unmet>,
}

/// Returns a text for the reason of a denial. It is the same for all calls that fail the same conditions.
fn reason(decision: &Decision) -> Result<String, Failure> {
    let text = decision.to_json(Values::Hidden);
    let explained: Explained = serde_json::from_str(&text).map_err(|error| {
        Failure::plain(Exit::Local, format!("cannot read the decision ({error})"))
            .hint("this is a bug in bailiwick; please report it")
    })?;
    let unmet = explained.explain.into_iter().map(|unmet| match unmet {
        Unmet {
            alternative,
            condition: Some(condition),
            argument,
            needed,
            ..
        } => format!("{alternative:?} {condition} {argument:?} {needed:?}"),
        Unmet { text, .. } => text,
    });
    Ok(unmet.collect::<Vec<_>>().join("; "))
}

/// The two files, each as a token, and a verifier for each called service.
pub(super) struct Judge {
    issuer: ThrowawayIssuer,
    tokens: [Zeroizing<String>; 2],
    verifiers: HashMap<String, Option<Verifier>>,
    tried: u64,
}

impl Judge {
    pub(super) fn new(grants: [&Grants; 2], now: Timestamp) -> Result<Judge, Failure> {
        let issuer = ThrowawayIssuer::new(now)?;
        let [first, second] = grants;
        let tokens = [
            issuer.mint(first)?.to_base64(),
            issuer.mint(second)?.to_base64(),
        ];
        Ok(Judge {
            issuer,
            tokens,
            verifiers: HashMap::new(),
            tried: 0,
        })
    }

    /// Number of calls so far.
    pub(super) fn tried(&self) -> u64 {
        self.tried
    }

    /// Decides a call under the two files in this order.
    pub(super) fn judge(
        &mut self,
        example: &Example,
        [allowing, refusing]: [usize; 2],
    ) -> Result<Judgement, Failure> {
        self.tried = self.tried.saturating_add(1);
        let Some(decision) = self.decide(example, allowing)? else {
            return Ok(Judgement::Refused);
        };
        if !decision.is_allow() {
            return Ok(Judgement::Refused);
        }
        Ok(match self.decide(example, refusing)? {
            Some(decision) if decision.is_allow() => Judgement::Allowed,
            Some(decision) => Judgement::Differs(reason(&decision)?),
            None => Judgement::Refused,
        })
    }

    /// Returns the sentences that explain why the second file of the order refuses a call.
    pub(super) fn refusal(
        &mut self,
        example: &Example,
        [_, refusing]: [usize; 2],
    ) -> Result<Vec<String>, Failure> {
        let decision = self.decide(example, refusing)?;
        let sentences = decision.map(|decision| decision.explain(Values::Shown));
        let sentences = sentences.unwrap_or_default().into_iter();
        // Each token has only one block, so the block's number says nothing.
        let plain =
            sentences.map(
                |sentence| match sentence.strip_prefix("block 0 (authority): ") {
                    Some(rest) => rest.to_owned(),
                    None => sentence,
                },
            );
        Ok(plain.collect())
    }

    fn decide(&mut self, example: &Example, file: usize) -> Result<Option<Decision>, Failure> {
        let Example {
            service,
            action,
            resource,
            args,
            time,
        } = example;
        if !self.verifiers.contains_key(service) {
            let verifier = self.issuer.verifier(service)?;
            self.verifiers.insert(service.clone(), verifier);
        }
        let verifier = self.verifiers.get(service).and_then(Option::as_ref);
        let Some((verifier, token)) = verifier.zip(self.tokens.get(file)) else {
            return Ok(None);
        };
        let mut call = Call::new(action);
        if let Some(resource) = resource {
            call = call.resource(resource);
        }
        for (name, value) in args {
            call = call.arg(name, value.clone());
        }
        Ok(Some(verifier.check(token, &call, *time)))
    }
}
