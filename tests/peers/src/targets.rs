//! The performance targets of the product, compared with the results.

use std::fmt;

use crate::{
    hostile, ours,
    report::Report,
    threads::{OWN, SHARED},
};

pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) bound: Bound,
    pub(crate) found: f64,
}

#[derive(Clone, Copy)]
pub(crate) enum Bound {
    Most(f64),
    Least(f64),
}

impl Target {
    pub(crate) fn met(&self) -> bool {
        match self.bound {
            Bound::Most(most) => self.found <= most,
            Bound::Least(least) => self.found >= least,
        }
    }
}

impl Bound {
    pub(crate) fn most(self) -> Option<f64> {
        match self {
            Bound::Most(most) => Some(most),
            Bound::Least(_) => None,
        }
    }

    pub(crate) fn least(self) -> Option<f64> {
        match self {
            Bound::Most(_) => None,
            Bound::Least(least) => Some(least),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Most(most) => write!(f, "≤ {most}"),
            Bound::Least(least) => write!(f, "≥ {least}"),
        }
    }
}

const OF_BISCUIT: &str = "biscuit-auth's parse, verify, authorize";
const OF_SIGNATURE: &str = "`verify_strict`";
const OF_HONEST: &str = "honest cost of the same size";

pub(crate) fn all(report: &Report) -> Vec<Target> {
    let target = |what: &str, unit, bound, found| Target {
        what: what.to_owned(),
        unit,
        bound,
        found,
    };
    let ours = |path, blocks| report.micros(ours::NAME, path, blocks);
    let of_biscuit = |path, blocks| ours(path, blocks) / report.biscuit(blocks);
    let of_signature = |path, blocks| ours(path, blocks) / report.signature();
    let worst = report
        .attacks()
        .map(|(refused, honest)| refused.micros.median / honest.micros.median)
        .fold(0.0, f64::max);
    let joins = |path| {
        let mut attacks = report.attacks();
        let (refused, _) = attacks
            .find(|(refused, _)| refused.path == path)
            .expect("measured");
        refused.micros.median
    };
    // The worse of the two ratios.
    let threads = report
        .threads
        .iter()
        .filter(|found| [OWN, SHARED].contains(&found.what));
    let threads = threads
        .map(|found| found.ratio.median)
        .fold(f64::MAX, f64::min);
    let memory = &report.memory;
    vec![
        target(
            "seen token, 3 blocks",
            OF_BISCUIT,
            // One part in 300.
            Bound::Most(0.00333),
            of_biscuit(ours::SEEN, 3),
        ),
        target(
            "seen token, 3 blocks",
            OF_SIGNATURE,
            Bound::Most(0.025),
            of_signature(ours::SEEN, 3),
        ),
        target(
            "seen token, 3 blocks",
            "allocations",
            Bound::Most(2.0),
            report.allocations(ours::NAME, ours::SEEN, 3),
        ),
        target(
            "denial with a seen token, 3 blocks",
            "allowing a call with it",
            Bound::Most(3.0),
            ours(ours::DENIED, 3) / ours(ours::SEEN, 3),
        ),
        target(
            "unseen child (3 blocks) of a seen parent",
            OF_SIGNATURE,
            Bound::Most(2.2),
            of_signature(ours::CHILD, 3),
        ),
        target(
            "unseen token, 3 blocks",
            OF_BISCUIT,
            Bound::Most(0.48),
            of_biscuit(ours::UNSEEN, 3),
        ),
        target(
            "unseen token, 8 blocks",
            OF_BISCUIT,
            Bound::Most(0.45),
            of_biscuit(ours::UNSEEN, 8),
        ),
        target("refusing, the dearest", OF_HONEST, Bound::Most(2.0), worst),
        // No growth with joins; a tenth is allowed for noise and for the longer text.
        target(
            "refusing a join of eight",
            "a join of four",
            Bound::Most(1.1),
            joins(hostile::EIGHT) / joins(hostile::FOUR),
        ),
        target(
            "memory for a cached token",
            "the token's bytes",
            Bound::Most(5.0),
            memory.cached / memory.token,
        ),
        target(
            "memory for a revoked id",
            "bytes",
            Bound::Most(16.0),
            memory.revoked,
        ),
        target(
            "two threads, seen token",
            "one thread",
            Bound::Least(1.8),
            threads,
        ),
    ]
}
