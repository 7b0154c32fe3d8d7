//! Conversions from Rust values and ranges to constraints and bounds.

use std::ops::{RangeFrom, RangeFull, RangeInclusive, RangeToInclusive};

use super::{Bound, BoundError, Constraint, List};
use crate::{
    timestamp::Timestamp,
    value::{Micros, Number, Value},
};

impl From<i32> for Bound {
    fn from(number: i32) -> Bound {
        // Never saturates: a million times any 32-bit number is within 64 bits.
        Bound::Number(Micros(i64::from(number).saturating_mul(1_000_000)))
    }
}

impl From<u32> for Bound {
    fn from(number: u32) -> Bound {
        Bound::Number(Micros(i64::from(number).saturating_mul(1_000_000)))
    }
}

impl TryFrom<i64> for Bound {
    type Error = BoundError;

    fn try_from(number: i64) -> Result<Bound, BoundError> {
        let micros = Number::from(number).micros();
        micros.map(Bound::Number).ok_or(BoundError)
    }
}

impl From<Micros> for Bound {
    fn from(micros: Micros) -> Bound {
        Bound::Number(micros)
    }
}

impl From<Timestamp> for Bound {
    fn from(date: Timestamp) -> Bound {
        Bound::Date(date)
    }
}

impl From<RangeFull> for Constraint {
    /// Allows any value and an absent argument, for `..`.
    fn from(_: RangeFull) -> Constraint {
        Constraint::any()
    }
}

impl<B: Into<Bound>> From<RangeInclusive<B>> for Constraint {
    /// Requires a minimum and a maximum: `1..=5` allows 1 and 5.
    fn from(range: RangeInclusive<B>) -> Constraint {
        let (min, max) = range.into_inner();
        Constraint::any().min(min.into()).max(max.into())
    }
}

impl<B: Into<Bound>> From<RangeFrom<B>> for Constraint {
    /// Requires a minimum: `1..` allows 1.
    fn from(range: RangeFrom<B>) -> Constraint {
        Constraint::any().min(range.start.into())
    }
}

impl<B: Into<Bound>> From<RangeToInclusive<B>> for Constraint {
    /// Requires a maximum: `..=5` allows 5.
    fn from(range: RangeToInclusive<B>) -> Constraint {
        Constraint::any().max(range.end.into())
    }
}

impl From<Value> for Constraint {
    fn from(value: Value) -> Constraint {
        Constraint::exact(value)
    }
}

impl From<&str> for Constraint {
    fn from(text: &str) -> Constraint {
        Constraint::exact(text)
    }
}

impl From<String> for Constraint {
    fn from(text: String) -> Constraint {
        Constraint::exact(text)
    }
}

impl From<bool> for Constraint {
    fn from(value: bool) -> Constraint {
        Constraint::exact(value)
    }
}

impl From<i64> for Constraint {
    fn from(number: i64) -> Constraint {
        Constraint::exact(number)
    }
}

impl From<List> for Constraint {
    fn from(list: List) -> Constraint {
        Constraint::one_of(list)
    }
}

impl<const N: usize> From<[&str; N]> for Constraint {
    /// Requires one of the texts in an array.
    fn from(texts: [&str; N]) -> Constraint {
        Constraint::one_of(texts)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_values_are_constraints() {
        let date: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for (constraint, words) in [
            (Constraint::from(..), "any value"),
            ((..=4200).into(), "at most 4200"),
            ((-1..).into(), "at least -1"),
            ((1..=5).into(), "at least 1 and at most 5"),
            ((..=u32::MAX).into(), "at most 4294967295"),
            ((i32::MIN..).into(), "at least -2147483648"),
            ((date..).into(), "at least 2026-11-23T12:00:00Z"),
            ((..=Micros(10_000)).into(), "at most 0.01"),
            (
                (..="4200.50".parse::<Bound>().unwrap()).into(),
                "at most 4200.5",
            ),
            ("EUR".into(), "exactly \"EUR\""),
            ("*".into(), "exactly \"*\""),
            (["a", "b"].into(), "one of \"a\", \"b\""),
            (true.into(), "exactly true"),
            (7.into(), "exactly 7"),
        ] {
            assert_eq!(constraint.to_string(), words);
        }
    }

    #[test]
    fn bounds_are_within_millionths() {
        let greatest = 9_223_372_036_854;
        assert_eq!(
            Bound::try_from(greatest),
            Ok(Bound::Number(Micros(greatest * 1_000_000)))
        );
        assert_eq!(Bound::try_from(greatest + 1), Err(BoundError));
        assert_eq!(Bound::try_from(i64::MIN), Err(BoundError));
    }
}
