//! Strings and terms of chosen lengths, in Datalog's notation.

/// A text of letters: all the same, two letters in random order, or like words.
pub fn text(length: usize, kind: &str) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let letter = match kind {
                "one letter" => 0,
                "two letters" => (state >> 20) as u8 % 2,
                _ => (state >> 20) as u8 % 26,
            };
            char::from(b'a' + letter)
        })
        .collect()
}

/// The same text with a different letter at one place.
pub fn changed(text: &str, place: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = match place {
        "first" => 0,
        "middle" => bytes.len() / 2,
        _ => bytes.len().saturating_sub(1),
    };
    if let Some(byte) = bytes.get_mut(at) {
        *byte = b'Z';
    }
    String::from_utf8(bytes).expect("letters")
}

/// Maximum nesting of arrays. The parser takes twice as long for each level.
const NESTED: usize = 8;

/// Different terms of one kind. Long ones are equal except at their ends.
pub fn terms(count: usize, kind: &str, length: usize) -> Vec<String> {
    (0..count)
        .map(|number| match kind {
            "integers" => (1000 + number).to_string(),
            "dates" => format!("2026-01-01T00:{:02}:{:02}Z", number / 60 % 60, number % 60),
            "strings" => format!("\"{}{number:04}\"", text(length, "one letter")),
            "bytes" => format!("hex:{}{number:04x}", "ab".repeat(length)),
            "sets" => format!("{{{}, {}}}", numbers(length.min(40)), 1000 + number),
            "arrays" => format!("[{}, {}]", numbers(length.min(40)), 1000 + number),
            _ => format!(
                "{}{}{}",
                "[".repeat(length.min(NESTED)),
                number,
                "]".repeat(length.min(NESTED))
            ),
        })
        .collect()
}

fn numbers(count: usize) -> String {
    let numbers: Vec<String> = (0..count.max(1)).map(|number| number.to_string()).collect();
    numbers.join(", ")
}

pub const KINDS: [&str; 7] = [
    "integers",
    "dates",
    "strings",
    "bytes",
    "sets",
    "arrays",
    "nested arrays",
];

/// A program that performs an operation for each triple of 40 numbers, either in a join of rows or in nested
/// closures.
pub fn repeated(facts: &str, bound: &str, operation: &str, answer: bool, by: &str) -> String {
    const TIMES: usize = 40;
    let items: Vec<String> = (0..TIMES).map(|item| item.to_string()).collect();
    if by == "rows" {
        let rows: String = items.iter().map(|item| format!("f({item});")).collect();
        let end = if answer { ", false" } else { "" };
        return format!("{rows} {facts} check if {bound}f($i), f($j), f($k), {operation}{end};");
    }
    let (each, list) = (if answer { "all" } else { "any" }, items.join(","));
    let bound = bound.trim_end_matches(", ");
    let comma = if bound.is_empty() { "" } else { ", " };
    format!(
        "{facts} check if {bound}{comma}[{list}].{each}($i -> [{list}].{each}($j -> [{list}].{each}($k -> {operation})));"
    )
}

pub const BY: [&str; 2] = ["rows", "closures"];
