//! Documents inside strings: JSON, SQL, scripts.

use super::words::has_word;
use crate::value::Value;

/// The reason for a warning, after the name of the document.
pub(super) const NOT_BOUNDED: &str = "whose content no grant can bound";

/// The next step of a warning.
pub(super) const NEXT: &str =
    "let the service take the content as separate arguments, or list whole texts with `one_of`";

/// Maximum length of a text in which a document is looked for, in bytes.
const MAX_LOOKED_AT: usize = 64 * 1024;

/// The document that an argument of this name carries.
pub(super) fn named(name: &str) -> Option<&'static str> {
    let kinds: [(&str, &[&str]); 4] = [
        ("a JSON document", &["json"]),
        (
            "a query",
            &["sql", "graphql", "cypher", "statement", "statements"],
        ),
        (
            "a command",
            &["command", "commands", "cmd", "shell", "bash", "script"],
        ),
        ("a document", &["xml", "yaml", "html"]),
    ];
    let mut kinds = kinds.into_iter();
    kinds.find_map(|(kind, words)| has_word(name, words).then_some(kind))
}

/// The document that a value carries.
pub(super) fn carried(value: &Value) -> Option<&'static str> {
    let Value::String(text) = value else {
        return None;
    };
    let text = text.trim();
    if text.len() > MAX_LOOKED_AT {
        return None;
    }
    if text.starts_with(['{', '[']) {
        let parsed = Value::parse_within(text, 64);
        return parsed.is_ok().then_some("a JSON document");
    }
    if is_query(text) {
        return Some("a query");
    }
    is_command(text).then_some("a command")
}

/// Returns true if the text begins with a verb of SQL and continues like a statement.
pub(super) fn is_query(text: &str) -> bool {
    const VERBS: [(&str, &str); 9] = [
        ("select", "from"),
        ("insert", "into"),
        ("update", "set"),
        ("delete", "from"),
        ("drop", "table"),
        ("create", "table"),
        ("alter", "table"),
        ("truncate", "table"),
        ("with", "select"),
    ];
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let second = VERBS
        .iter()
        .find(|(verb, _)| *verb == first)
        .map(|(_, second)| *second);
    second.is_some_and(|second| words.any(|word| word.trim_start_matches('(') == second))
}

fn is_command(text: &str) -> bool {
    let joined = [" && ", " || ", "; rm ", " | sh", " | bash", "$("];
    text.starts_with("#!/") || joined.iter().any(|part| text.contains(part))
}
