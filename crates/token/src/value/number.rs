//! Exact decimal numbers.

use std::{fmt, str::FromStr};

/// An exact decimal number: digits and a power of ten.
///
/// Numbers are equal if their values are: `5`, `5.0` and `50e-1` are the same number. `Display` writes all
/// digits in the layout of ECMAScript, which RFC 8785 section 3.2.2.3 uses: positional from 10⁻⁶ to just below
/// 10²¹, and with an exponent outside that range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    negative: bool,
    /// Decimal digits without leading or trailing zeros; empty for zero.
    digits: String,
    /// The power of ten that the digits are multiplied by; 0 for zero.
    exponent: i64,
}

/// Maximum number of significant digits that binary floating point keeps (IEEE 754, binary64).
const MAX_ALIKE: usize = 15;

/// The error of a text that is not a JSON number, or whose exponent is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number such as `12.50`")]
pub struct NumberError;

impl Number {
    /// Number of decimal digits, without leading and trailing zeros.
    #[must_use]
    pub fn digits(&self) -> usize {
        self.digits.len()
    }

    /// Returns true if every receiver reads the same value, even one that reads binary floating point: at most 15
    /// significant digits, and at most 10¹⁵ without its sign.
    #[must_use]
    pub fn is_read_alike(&self) -> bool {
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        // The value is below ten to this power.
        let magnitude = length.saturating_add(self.exponent);
        let fits = magnitude <= 15 || (magnitude == 16 && self.digits == "1");
        self.digits.len() <= MAX_ALIKE && fits
    }

    /// The value in millionths, if that is an integer within `i64`.
    #[must_use]
    pub fn micros(&self) -> Option<Micros> {
        self.scaled(6).map(Micros)
    }

    /// The value as an integer, if it is an integer within `i64`.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        self.scaled(0)
    }

    /// The value times 10^`power`, if that is an integer within `i64`.
    fn scaled(&self, power: i64) -> Option<i64> {
        if self.digits.is_empty() {
            return Some(0);
        }
        // The digits have no trailing zeros, so a negative shift would leave a fraction.
        let shift = u32::try_from(self.exponent.checked_add(power)?).ok()?;
        let magnitude: i128 = self.digits.parse().ok()?;
        let magnitude = magnitude.checked_mul(10i128.checked_pow(shift)?)?;
        let value = if self.negative {
            magnitude.checked_neg()?
        } else {
            magnitude
        };
        i64::try_from(value).ok()
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        normal(value < 0, value.unsigned_abs().to_string(), 0)
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// Reads a number in the grammar of JSON (RFC 8259, section 6), and nothing else.
    fn from_str(text: &str) -> Result<Number, NumberError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if all_digits(fraction) => (whole, fraction),
            Some(_) => return Err(NumberError),
            None => (mantissa, ""),
        };
        if !all_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
            return Err(NumberError);
        }
        let places = i64::try_from(fraction.len()).map_err(|_| NumberError)?;
        let exponent = exponent.checked_sub(places).ok_or(NumberError)?;
        Ok(normal(negative, format!("{whole}{fraction}"), exponent))
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_exponent(text: &str) -> Result<i64, NumberError> {
    let (negative, digits) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => (false, text),
    };
    if !all_digits(digits) {
        return Err(NumberError);
    }
    // Far below the ends of i64, so that sums of exponents and lengths cannot overflow.
    let value: i64 = digits.parse().map_err(|_| NumberError)?;
    if value > 1_000_000_000 {
        return Err(NumberError);
    }
    Ok(if negative {
        value.saturating_neg()
    } else {
        value
    })
}

/// Normalizes a value: no leading zeros, no trailing zeros, no negative zero.
fn normal(negative: bool, digits: String, exponent: i64) -> Number {
    let significant = digits.trim_end_matches('0');
    let dropped = digits.len().saturating_sub(significant.len());
    let significant = significant.trim_start_matches('0').to_owned();
    if significant.is_empty() {
        return Number {
            negative: false,
            digits: significant,
            exponent: 0,
        };
    }
    let dropped = i64::try_from(dropped).unwrap_or(i64::MAX);
    Number {
        negative,
        digits: significant,
        exponent: exponent.saturating_add(dropped),
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let digits = &self.digits;
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        // The decimal point comes after this many digits.
        let point = length.saturating_add(self.exponent);
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        if self.exponent >= 0 && point <= 21 {
            write!(f, "{digits}{}", zeros(self.exponent))
        } else if (1..=21).contains(&point) {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
            write!(f, "{whole}.{fraction}")
        } else if (-5..=0).contains(&point) {
            write!(f, "0.{}{digits}", zeros(point.saturating_neg()))
        } else {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            write!(f, "{first}{dot}{rest}e{:+}", point.saturating_sub(1))
        }
    }
}

/// A number in millionths, as the facts `num` carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl From<Micros> for Number {
    fn from(micros: Micros) -> Number {
        normal(micros.0 < 0, micros.0.unsigned_abs().to_string(), -6)
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Number::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn equal_values_are_equal_numbers() {
        for (a, b) in [
            ("5", "5.0"),
            ("5", "50e-1"),
            ("0", "-0.00e7"),
            ("1000", "1E3"),
            ("0.5", "5e-1"),
        ] {
            assert_eq!(number(a), number(b), "{a} {b}");
        }
    }

    #[test]
    fn micros_are_exact_or_absent() {
        assert_eq!(number("98.7").micros(), Some(Micros(98_700_000)));
        assert_eq!(number("0.000001").micros(), Some(Micros(1)));
        assert_eq!(number("0.0000001").micros(), None);
        assert_eq!(
            number("9223372036854.775807").micros(),
            Some(Micros(i64::MAX))
        );
        assert_eq!(number("9223372036854.775808").micros(), None);
        assert_eq!(
            number("-9223372036854.775808").micros(),
            Some(Micros(i64::MIN))
        );
        assert_eq!(number("1e1000000000").micros(), None);
        assert_eq!(number("1e-1000000000").micros(), None);
        assert_eq!(number("9223372036854775807").integer(), Some(i64::MAX));
        assert_eq!(number("9223372036854775808").integer(), None);
        assert_eq!(number("2.5").integer(), None);
    }

    #[test]
    fn one_text_for_one_value() {
        for (text, canonical) in [
            ("98.70", "98.7"),
            ("1e3", "1000"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("0.000001", "0.000001"),
            ("1e-7", "1e-7"),
            ("123e-9", "1.23e-7"),
            ("-12.340", "-12.34"),
            ("12345678901234567890123", "1.2345678901234567890123e+22"),
            ("-0", "0"),
        ] {
            assert_eq!(number(text).to_string(), canonical);
            assert_eq!(number(canonical), number(text));
        }
    }

    #[test]
    fn only_json_numbers() {
        for text in [
            "",
            "-",
            "+1",
            ".5",
            "5.",
            "01",
            "1e",
            "1e+",
            "0x1",
            "1_000",
            "inf",
            "NaN",
            " 1",
            "1e9999999999",
        ] {
            assert_eq!(text.parse::<Number>(), Err(NumberError), "{text}");
        }
    }
}
