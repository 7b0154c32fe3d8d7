//! Measurement of all variants in turns.
//!
//! The machine may be shared, and its speed may change from second to second. So no variant is measured in one
//! go: every variant has a turn in each of many short rounds, and the median of its turns counts. A slow second
//! then affects all variants, and their ratios stay the same.

use std::time::Duration;

use crate::{
    allocations::Allocated,
    variant::{Unexpected, Variant},
};

/// The amount of measuring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// Approximate length of one variant's turn.
    pub(crate) turn: Duration,
    /// Number of tokens to cache when measuring the memory per token.
    pub(crate) cached: usize,
    /// Number of ids to revoke when measuring the memory per id.
    pub(crate) revoked: usize,
}

impl Effort {
    pub(crate) const FULL: Effort = Effort {
        rounds: 100,
        turn: Duration::from_millis(4),
        cached: 400,
        revoked: 50_000,
    };

    /// A quick run, which shows that everything still works, but not how fast.
    pub(crate) const QUICK: Effort = Effort {
        rounds: 5,
        turn: Duration::from_millis(1),
        cached: 50,
        revoked: 2_000,
    };
}

/// The results for one variant.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) peer: &'static str,
    pub(crate) path: &'static str,
    pub(crate) blocks: usize,
    pub(crate) wire: usize,
    pub(crate) micros: Spread,
    /// Number of allocations of one decision.
    pub(crate) allocations: f64,
    pub(crate) allocated_bytes: f64,
}

/// The spread of many turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) p10: f64,
    pub(crate) p90: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        let at = |share: f64| values[(last as f64 * share).round() as usize];
        Spread {
            median: at(0.5),
            p10: at(0.1),
            p90: at(0.9),
        }
    }
}

pub(crate) fn measure(
    mut variants: Vec<Variant<'_>>,
    effort: &Effort,
) -> Result<Vec<Measured>, Unexpected> {
    let mut counts = Vec::new();
    let mut allocated = Vec::new();
    for variant in &mut variants {
        counts.push(decisions_for_a_turn(variant, effort.turn)?);
        allocated.push(variant.allocate(COUNTED)?);
    }
    let mut turns = vec![Vec::with_capacity(effort.rounds); variants.len()];
    for _ in 0..effort.rounds {
        for ((variant, count), turns) in variants.iter_mut().zip(&counts).zip(&mut turns) {
            let taken = variant.time(*count)?;
            turns.push(taken.as_secs_f64() * 1e6 / *count as f64);
        }
    }
    let found = variants.into_iter().zip(allocated).zip(turns);
    Ok(found
        .map(|((variant, allocated), turns)| measured(&variant, allocated, turns))
        .collect())
}

/// Number of decisions whose allocations are counted.
const COUNTED: usize = 10;

/// Finds the number of decisions that fill a turn. This also warms up, and checks the decisions before they are
/// timed.
fn decisions_for_a_turn(variant: &mut Variant<'_>, turn: Duration) -> Result<usize, Unexpected> {
    let few = 10;
    variant.time(few)?;
    let each = variant.time(few)?.as_secs_f64() / few as f64;
    let count = (turn.as_secs_f64() / each) as usize;
    Ok(count.clamp(1, variant.most))
}

fn measured(variant: &Variant<'_>, allocated: Allocated, turns: Vec<f64>) -> Measured {
    Measured {
        peer: variant.peer,
        path: variant.path,
        blocks: variant.blocks,
        wire: variant.wire,
        micros: Spread::of(turns),
        allocations: allocated.allocations as f64 / COUNTED as f64,
        allocated_bytes: allocated.bytes as f64 / COUNTED as f64,
    }
}
