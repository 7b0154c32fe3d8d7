//! Search for one string in another, at the same price for every byte.
//!
//! Search algorithms made for speed are fast on ordinary text, but ten to a hundred times slower on text chosen
//! to defeat them. Here an attacker chooses both strings, so this algorithm does the same few operations for
//! each byte (Shift-And, Baeza-Yates and Gonnet 1992): bit `n` of the state is set while the last `n + 1` bytes
//! of text are the first `n + 1` bytes of `part`. If `part` has more bytes than the state has bits, its
//! remaining bytes are compared wherever its first ones are found, and each comparison is charged.

use super::fuel::{Budget, Fuel, Stop};

/// Returns true if `text` contains `part`. The cost in fuel equals that of the operator `contains`, and is
/// deducted from `units`. If `units` do not suffice, they are set to 0 and the result is `None`.
pub fn contains_within(text: &str, part: &str, units: &mut u64) -> Option<bool> {
    let mut fuel = Fuel::new(Budget {
        fuel: *units,
        memory: usize::MAX,
    });
    let found = contains(text.as_bytes(), part.as_bytes(), &mut fuel);
    *units = match found {
        Ok(_) => fuel.left(),
        Err(_) => 0,
    };
    found.ok()
}

/// Returns true if `text` contains `part`.
pub(super) fn contains(text: &[u8], part: &[u8], fuel: &mut Fuel) -> Result<bool, Stop> {
    /// The price of clearing the table.
    const TABLE: u64 = 4;
    if part.len() > text.len() {
        return Ok(false);
    }
    let (head, rest) = part.split_at(part.len().min(u64::BITS as usize));
    let Some(last) = head.len().checked_sub(1) else {
        return Ok(true);
    };
    fuel.take(TABLE)?;
    fuel.each_byte(head.len())?;
    let bit = |place: usize| 1u64.unbounded_shl(place as u32);
    let found = bit(last);
    let mut places = [0u64; 256];
    for (place, byte) in head.iter().enumerate() {
        if let Some(places) = places.get_mut(usize::from(*byte)) {
            *places |= bit(place);
        }
    }
    let mut state = 0u64;
    // Charged chunk by chunk, so that an early match costs little.
    for (number, chunk) in text.chunks(CHUNK).enumerate() {
        fuel.take((chunk.len() / BYTES_PER_UNIT) as u64)?;
        for (at, byte) in chunk.iter().enumerate() {
            let places = places.get(usize::from(*byte)).copied().unwrap_or_default();
            state = ((state << 1) | 1) & places;
            if state & found != 0 {
                fuel.take(1)?;
                let behind = number
                    .saturating_mul(CHUNK)
                    .saturating_add(at)
                    .saturating_add(1);
                let behind = text.get(behind..).unwrap_or_default();
                fuel.bytes(rest.len())?;
                if behind.starts_with(rest) {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// Bytes of text per unit of fuel.
const BYTES_PER_UNIT: usize = 12;

/// Bytes that are charged together, before they are searched.
const CHUNK: usize = 240;

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn found(text: &str, part: &str) -> bool {
        contains(text.as_bytes(), part.as_bytes(), &mut Fuel::unlimited()).unwrap()
    }

    /// Searches for every string of two letters, up to a length, in every other.
    #[test]
    fn agrees_with_the_standard_library() {
        let mut strings = vec![String::new()];
        for length in 0..6 {
            let longer: Vec<String> = strings
                .iter()
                .filter(|string| string.len() == length)
                .flat_map(|string| [format!("{string}a"), format!("{string}b")])
                .collect();
            strings.extend(longer);
        }
        for text in &strings {
            for part in &strings {
                assert_eq!(
                    found(text, part),
                    text.contains(part.as_str()),
                    "{text} {part}"
                );
            }
        }
    }

    /// Lengths around the number of bits of a state, and around the length of a chunk.
    #[test]
    fn finds_long_parts_at_every_place() {
        for length in [63, 64, 65, 66, 127, 128, 129, 300] {
            let part = format!("{}b", "a".repeat(length - 1));
            for before in [0, 1, 63, 64, 65, 175, 176, 177, 239, 240, 241, 600] {
                let text = format!("{}{part}a", "a".repeat(before));
                assert!(found(&text, &part), "{length} behind {before}");
                assert!(
                    !found(&text[..text.len() - 2], &part),
                    "{length} behind {before}"
                );
            }
        }
    }

    #[test]
    fn a_search_is_paid_for_or_spends_the_budget() {
        let text = "a".repeat(1_200);
        let mut units = 1_000;
        assert_eq!(contains_within(&text, "b", &mut units), Some(false));
        let burnt = 1_000 - units;
        assert!((100..120).contains(&burnt), "{burnt}");
        let mut just = burnt;
        assert_eq!(contains_within(&text, "b", &mut just), Some(false));
        assert_eq!(just, 0);
        let mut less = burnt - 1;
        assert_eq!(contains_within(&text, "b", &mut less), None);
        assert_eq!(less, 0);
    }

    /// A text in which the beginning of `part` matches everywhere, and its last byte nowhere.
    #[test]
    fn each_comparison_is_charged() {
        let (text, part) = ("a".repeat(10_000), format!("{}b", "a".repeat(2000)));
        let mut fuel = Fuel::unlimited();
        assert_eq!(
            contains(text.as_bytes(), part.as_bytes(), &mut fuel),
            Ok(false)
        );
        let burnt = u64::MAX - fuel.left();
        let comparisons = 10_000 - 64;
        assert!(burnt > comparisons * (2000 / 64), "{burnt}");
    }
}
