//! Decimals: numbers and strings within a range, with few digits after the point.

use crate::value::{Micros, Value};

/// Maximum number of digits before the point of a decimal in text, and after it.
const MAX_WHOLE: usize = 15;
const MAX_FRACTION: usize = 6;

/// A range of decimals. Both ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// At least this.
    pub min: Option<Micros>,
    /// At most this.
    pub max: Option<Micros>,
    /// Maximum number of digits after the point.
    pub scale: Option<u8>,
    /// Greater than zero.
    pub positive: bool,
}

impl Range {
    /// Returns true if a value is a JSON number within the range. `scale` counts the value's digits: `1.50` has one.
    #[must_use]
    pub fn holds_number(&self, value: &Value) -> bool {
        number(value).is_some_and(|micros| self.holds(micros, digits_after_point(micros)))
    }

    /// Returns true if `text` is a decimal within the range. `scale` counts the digits as written: `1.50` has two.
    #[must_use]
    pub fn holds_text(&self, text: &str) -> bool {
        decimal(text).is_some_and(|(micros, written)| self.holds(micros, written))
    }

    /// Returns true if the range limits nothing, so that it requires the type alone.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Range::default()
    }

    /// Returns true if no value is in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let crossed = self.min.zip(self.max).is_some_and(|(min, max)| min > max);
        crossed || (self.positive && self.max.is_some_and(|max| max <= Micros(0)))
    }

    fn holds(&self, micros: Micros, digits: u8) -> bool {
        self.min.is_none_or(|min| micros >= min)
            && self.max.is_none_or(|max| micros <= max)
            && self.scale.is_none_or(|scale| digits <= scale)
            && (!self.positive || micros > Micros(0))
    }
}

/// The value of a number that every receiver reads alike; `None` for any other value.
pub(super) fn number(value: &Value) -> Option<Micros> {
    match value {
        Value::Number(number) => number.micros().filter(|_| number.is_read_alike()),
        _ => None,
    }
}

/// Reads a decimal as text: `-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?`, without `-0`. Returns its value and the number of
/// digits after the point.
pub(super) fn decimal(text: &str) -> Option<(Micros, u8)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        None => (unsigned, None),
        Some((whole, fraction)) => (whole, Some(fraction)),
    };
    let is_digits = |text: &str, max| {
        (1..=max).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit())
    };
    let whole_fits = is_digits(whole, MAX_WHOLE) && (whole == "0" || !whole.starts_with('0'));
    if !whole_fits || fraction.is_some_and(|fraction| !is_digits(fraction, MAX_FRACTION)) {
        return None;
    }
    let micros = text.parse::<crate::value::Number>().ok()?.micros()?;
    let written = u8::try_from(fraction.map_or(0, str::len)).ok()?;
    // Some readers lose the sign of a zero and some keep it.
    (!(text.starts_with('-') && micros == Micros(0))).then_some((micros, written))
}

/// The number of digits after the point that the value needs.
fn digits_after_point(micros: Micros) -> u8 {
    let mut fraction = micros.0 % 1_000_000;
    let mut digits = 6;
    while digits > 0 && fraction % 10 == 0 {
        fraction /= 10;
        digits = u8::saturating_sub(digits, 1);
    }
    digits
}
