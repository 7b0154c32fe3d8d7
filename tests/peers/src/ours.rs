//! Bailiwick as a peer, from the text of a token to the decision.

use bailiwick_verifier::Reason;

use crate::{
    sample::{BEYOND, BLOCKS, Sample, request, request_for, text},
    variant::Variant,
};

pub(crate) const NAME: &str = "Bailiwick";
pub(crate) const SEEN: &str = "token seen before";
pub(crate) const DENIED: &str = "denial with a token seen before";
pub(crate) const CHILD: &str = "unseen child of a seen parent";
pub(crate) const UNSEEN: &str = "unseen token";

/// Returns true if the verifier denies a call that the token does not allow, as it must.
pub(crate) fn denies(sample: &Sample) -> bool {
    let token = text(&sample.chain(3));
    let decision = sample
        .verifier()
        .check(&token, &request_for(BEYOND), sample.now);
    decision.reason() == Some(Reason::Caveat)
}

pub(crate) fn variants(sample: &Sample) -> Vec<Variant<'_>> {
    let seen = BLOCKS.into_iter().map(|blocks| seen(sample, blocks));
    let denied = BLOCKS.into_iter().filter(|blocks| *blocks > 0);
    let denied = denied.map(|blocks| denied_by_all(sample, blocks));
    let child = BLOCKS.into_iter().filter(|blocks| *blocks > 0);
    let child = child.map(|blocks| child_of_seen(sample, blocks));
    let unseen = BLOCKS.into_iter().map(|blocks| unseen(sample, blocks));
    seen.chain(denied).chain(child).chain(unseen).collect()
}

fn seen(sample: &Sample, blocks: usize) -> Variant<'_> {
    let (verifier, request) = (sample.verifier(), request());
    let token = text(&sample.chain(blocks));
    let wire = token.len();
    Variant::repeated((NAME, SEEN), blocks, wire, move || {
        let decision = verifier.check(std::hint::black_box(&token), &request, sample.now);
        decision.is_allow()
    })
}

/// Denies and explains a call that every appended block refuses.
fn denied_by_all(sample: &Sample, blocks: usize) -> Variant<'_> {
    let (verifier, request) = (sample.verifier(), request_for(BEYOND));
    let token = text(&sample.chain(blocks));
    let wire = token.len();
    Variant::repeated((NAME, DENIED), blocks, wire, move || {
        let decision = verifier.check(std::hint::black_box(&token), &request, sample.now);
        !decision.is_allow()
    })
}

/// Allows tokens whose parent, one block shorter, the verifier has just seen. Each token has a different
/// parent.
fn child_of_seen(sample: &Sample, blocks: usize) -> Variant<'_> {
    let (verifier, request) = (std::rc::Rc::new(sample.verifier()), request());
    let (parents, call) = (verifier.clone(), request.clone());
    let prepare = move || {
        let parent = sample.chain(blocks - 1);
        assert!(
            parents.check(&text(&parent), &call, sample.now).is_allow(),
            "a parent is allowed"
        );
        text(&sample.narrow(&parent))
    };
    let decide = move |text: &str| verifier.check(text, &request, sample.now).is_allow();
    Variant::fresh((NAME, CHILD), blocks, prepare, decide)
}

/// Allows tokens that are each made for one decision. As at a service, one verifier decides them all: its caches
/// are full, but hold nothing that helps with the next token.
fn unseen(sample: &Sample, blocks: usize) -> Variant<'_> {
    let (verifier, request) = (sample.verifier(), request());
    let prepare = move || text(&sample.chain(blocks));
    let decide = move |text: &str| verifier.check(text, &request, sample.now).is_allow();
    Variant::fresh((NAME, UNSEEN), blocks, prepare, decide)
}
