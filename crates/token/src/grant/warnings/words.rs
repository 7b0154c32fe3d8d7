//! The words in the name of an argument.

/// Words that name an amount of money.
const MONEY: [&str; 26] = [
    "amount", "amounts", "balance", "budget", "charge", "cost", "costs", "credit", "debit",
    "discount", "fee", "fees", "money", "payment", "payout", "price", "prices", "refund", "salary",
    "spend", "subtotal", "tax", "tip", "total", "vat", "wage",
];

/// Words that make a name of [`MONEY`] a number of something else.
const COUNTED: [&str; 9] = [
    "count", "id", "items", "number", "pages", "percent", "quantity", "rate", "type",
];

/// Words that name the smallest unit of a currency.
const MINOR_UNITS: [&str; 6] = ["cent", "cents", "micros", "minor", "pence", "ore"];

/// The words of the last member in a path, in lower case: `lines.*.unitPrice` has `unit` and `price`.
pub(super) fn words(path: &str) -> Vec<String> {
    let member = path.rsplit('.').find(|part| *part != "*").unwrap_or(path);
    let mut words = Vec::new();
    let mut word = String::new();
    let mut after_lower = false;
    for c in member.chars() {
        let begins = c.is_uppercase() && after_lower;
        if (begins || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Returns true if the name has one of these words.
pub(super) fn has_word(name: &str, known: &[&str]) -> bool {
    words(name)
        .iter()
        .any(|word| known.contains(&word.as_str()))
}

/// Returns true if the name is one of an amount of money.
pub(super) fn is_money(name: &str) -> bool {
    has_word(name, &MONEY) && !has_word(name, &COUNTED)
}

/// Returns true if the name says that the amount is in the smallest unit of its currency.
pub(super) fn is_minor_unit(name: &str) -> bool {
    has_word(name, &MINOR_UNITS)
}

/// Returns true if the name is one of a currency.
pub(super) fn is_currency(name: &str) -> bool {
    has_word(name, &["currency", "currencies"])
}
