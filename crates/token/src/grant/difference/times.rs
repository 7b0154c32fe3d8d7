//! Times on both sides of the edges of windows.

use crate::{condition::During, timestamp::Timestamp};

/// Seconds between the times that a first, coarse search looks at.
const STRIDE: u64 = 15 * 60;

/// Seconds in a week.
const WEEK: u64 = 7 * 24 * 60 * 60;

/// Maximum number of times.
const MAX_TIMES: usize = 128;

/// The given time, and times at which one of the windows opens or closes: in the week that follows, and in the week
/// half a year later, when zones may have other offsets.
pub(super) fn choices<'g>(
    windows: impl Iterator<Item = &'g During>,
    now: Timestamp,
) -> Vec<Timestamp> {
    let windows: Vec<&During> = windows.collect();
    let mut times = vec![now];
    if windows.is_empty() {
        return times;
    }
    let state = |time: Timestamp| {
        windows
            .iter()
            .map(|window| window.holds(time))
            .collect::<Vec<_>>()
    };
    let mut states = vec![state(now)];
    for week in [0, WEEK.saturating_mul(26)] {
        let mut before = now.plus(week);
        let end = before.plus(WEEK);
        let mut state_before = state(before);
        while before < end && times.len() < MAX_TIMES {
            let next = before.plus(STRIDE);
            let state_next = state(next);
            if state_next != state_before {
                let (last, first) = edge(before, next, &state);
                for time in [last, first] {
                    let found = state(time);
                    if !states.contains(&found) {
                        states.push(found);
                        times.push(time);
                    }
                }
            }
            (before, state_before) = (next, state_next);
        }
    }
    times
}

/// The last second before a change and the first after it, between two times.
fn edge(
    mut before: Timestamp,
    mut after: Timestamp,
    state: &impl Fn(Timestamp) -> Vec<bool>,
) -> (Timestamp, Timestamp) {
    let first = state(before);
    while after.since(before) > 1 {
        let middle = before.plus(after.since(before) / 2);
        match state(middle) == first {
            true => before = middle,
            false => after = middle,
        }
    }
    (before, after)
}
