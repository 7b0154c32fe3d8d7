//! A token's limits on time and depth, which do not depend on the call.

use bailiwick_token::{datalog::ValidityLimit, timestamp::Timestamp};

use crate::{
    decision::Deny, denial::Denial, explain::UnmetCondition, explanation::Explanation,
    verified::Verified,
};

/// Returns a denial if the token is outside its limits on time or depth. These limits come before the
/// conditions on the call.
pub(crate) fn out_of_limits(token: &Verified, now: Timestamp) -> Option<Deny> {
    out_of_time(token, now).or_else(|| {
        let exceeds = |(_, limit): &(usize, ValidityLimit)| exceeded(*limit, token, now).is_some();
        let is_too_deep = token.validity.iter().any(exceeds);
        is_too_deep.then(|| by_limits(token, now, Denial::Depth))
    })
}

/// Returns a denial if the token has expired or is not yet valid.
pub(crate) fn out_of_time(token: &Verified, now: Timestamp) -> Option<Deny> {
    let denial = if now < token.begins {
        Denial::NotYetValid
    } else if now >= token.expires {
        // The expiry itself is outside, as in the check that the token carries: `$t < end`.
        Denial::Expired
    } else {
        return None;
    };
    Some(by_limits(token, now, denial))
}

/// Builds a denial from the limits that are exceeded for this reason.
fn by_limits(token: &Verified, now: Timestamp, denial: Denial) -> Deny {
    let mut explanation = Explanation::new(&token.identity);
    for (block, limit) in &token.validity {
        let exceeded = exceeded(*limit, token, now);
        let Some((_, condition)) = exceeded.filter(|(reason, _)| *reason == denial) else {
            continue;
        };
        if explanation.add(*block, None, condition).is_err() {
            explanation.cut_off();
            break;
        }
    }
    explanation.deny(denial)
}

fn exceeded(
    limit: ValidityLimit,
    token: &Verified,
    now: Timestamp,
) -> Option<(Denial, UnmetCondition)> {
    match limit {
        ValidityLimit::NotBefore(needed) if now < needed => Some((
            Denial::NotYetValid,
            UnmetCondition::NotBefore { needed, found: now },
        )),
        ValidityLimit::Expires(needed) if now >= needed => Some((
            Denial::Expired,
            UnmetCondition::Expires { needed, found: now },
        )),
        ValidityLimit::MaxDepth(needed) if token.depth > needed as usize => {
            let found = token.depth;
            Some((Denial::Depth, UnmetCondition::Depth { found, needed }))
        }
        _ => None,
    }
}
