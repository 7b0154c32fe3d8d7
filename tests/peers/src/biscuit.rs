//! biscuit-auth as a peer, with the same tokens, facts and policy.

use std::{hint::black_box, time::Duration};

use biscuit_auth::{AuthorizerBuilder, AuthorizerLimits, Biscuit};

use crate::{
    sample::{BEYOND, BLOCKS, Sample, WITHIN, text},
    variant::Variant,
};

pub(crate) const NAME: &str = "biscuit-auth 6.0.0";
pub(crate) const WHOLE: &str = "parse, verify, authorize";
const VERIFIED: &str = "authorize what was verified before";

/// Returns true if biscuit-auth denies a call that the token does not allow, as it must.
pub(crate) fn denies(sample: &Sample) -> bool {
    let (root, text) = (sample.key_pair().public(), text(&sample.chain(3)));
    let token = Biscuit::from_base64(&text, root).unwrap();
    !authorize(&token, &facts(3, BEYOND))
}

pub(crate) fn variants(sample: &Sample) -> Vec<Variant<'_>> {
    let whole = BLOCKS.into_iter().map(|blocks| whole(sample, blocks));
    let verified = BLOCKS.into_iter().map(|blocks| verified(sample, blocks));
    whole.chain(verified).collect()
}

fn whole(sample: &Sample, blocks: usize) -> Variant<'_> {
    let (root, facts) = (sample.key_pair().public(), facts(blocks, WITHIN));
    let prepare = move || text(&sample.chain(blocks));
    let decide = move |text: &str| {
        Biscuit::from_base64(text, root).is_ok_and(|token| authorize(&token, &facts))
    };
    Variant::fresh((NAME, WHOLE), blocks, prepare, decide)
}

fn verified(sample: &Sample, blocks: usize) -> Variant<'_> {
    let (root, facts) = (sample.key_pair().public(), facts(blocks, WITHIN));
    let text = text(&sample.chain(blocks));
    let token = Biscuit::from_base64(&text, root).unwrap();
    Variant::repeated((NAME, VERIFIED), blocks, text.len(), move || {
        authorize(black_box(&token), &facts)
    })
}

fn authorize(token: &Biscuit, facts: &AuthorizerBuilder) -> bool {
    let authorizer = facts.clone().build(token);
    authorizer.is_ok_and(|mut authorizer| authorizer.authorize().is_ok())
}

/// The facts that our verifier states about the call, parsed in advance. The limits are too high to be reached.
fn facts(blocks: usize, amount: i64) -> AuthorizerBuilder {
    let code = format!(
        r#"
        time(2026-11-23T12:00:00Z); service("erp"); action("purchase_order:create");
        args({{"", "amount", "currency", "vendor", "note"}});
        arg("amount", {amount}); num("amount", {amount}000000);
        arg("currency", "EUR"); arg("vendor", "acme"); arg("note", "paper"); depth({blocks});
        allow if action($a), grant($a);
        "#
    );
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
