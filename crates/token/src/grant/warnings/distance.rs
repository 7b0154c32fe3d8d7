//! Names that are so alike that one may be a misspelling of the other.

/// Maximum length of a name that is compared, in characters.
const MAX_COMPARED: usize = 64;

/// Returns true if the names differ in case and separators only, or in at most two characters.
pub(super) fn is_near(a: &str, b: &str) -> bool {
    let (a, b) = (letters(a), letters(b));
    if a.len() > MAX_COMPARED || b.len() > MAX_COMPARED {
        return a == b;
    }
    let allowed = if a.len().min(b.len()) < 5 { 1 } else { 2 };
    distance(&a, &b) <= allowed
}

fn letters(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The number of insertions, removals and replacements that turn one into the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, x) in a.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(index.saturating_add(1));
        for ((y, diagonal), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            let replaced = diagonal.saturating_add(usize::from(x != y));
            next.push(replaced.min(above.min(&left).saturating_add(1)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near() {
        for (a, b) in [
            ("amount", "ammount"),
            ("amount", "Amount"),
            ("cost_center", "costCenter"),
            ("vendor", "vender"),
            ("id", "di"),
        ] {
            assert_eq!(is_near(a, b), (a, b) != ("id", "di"), "{a} {b}");
        }
        for (a, b) in [("amount", "account"), ("to", "from"), ("a", "bcd")] {
            assert_eq!(is_near(a, b), (a, b) == ("amount", "account"), "{a} {b}");
        }
    }
}
