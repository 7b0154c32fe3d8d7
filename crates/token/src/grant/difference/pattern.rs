//! Texts that a regular expression matches, and texts near them.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Maximum number of texts of one expression.
const MAX_TEXTS: usize = 24;

/// Maximum length of such a text, in bytes.
const MAX_BYTES: usize = 1024;

/// Maximum number of repetitions in a text.
const MAX_REPEATED: u32 = 64;

/// Characters that read well, in this order of preference.
const PLAIN: [char; 6] = ['a', '0', 'A', '1', '-', ' '];

/// Texts that the expression matches, unless they are too long, and texts close to them.
pub(super) fn around(expression: &str) -> Vec<String> {
    let Ok(hir) = regex_syntax::parse(expression) else {
        return Vec::new();
    };
    let matching = texts(&hir);
    let beside = matching.iter().take(4).flat_map(|text| {
        let mut shorter = text.clone();
        shorter.pop();
        [
            format!("{text}x"),
            format!("{text}'; drop table x"),
            format!("{text}\n"),
            format!(" {text}"),
            text.to_uppercase(),
            text.to_lowercase(),
            shorter,
        ]
    });
    let beside: Vec<String> = beside.collect();
    matching.into_iter().chain(beside).collect()
}

/// Recursion is bounded by the nesting that the parser accepts.
fn texts(hir: &Hir) -> Vec<String> {
    let mut texts = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => vec![String::from_utf8_lossy(&literal.0).into_owned()],
        HirKind::Class(class) => characters(class),
        HirKind::Capture(capture) => self::texts(&capture.sub),
        HirKind::Alternation(parts) => parts.iter().flat_map(self::texts).collect(),
        HirKind::Concat(parts) => concatenated(parts),
        HirKind::Repetition(repetition) => {
            let inner = self::texts(&repetition.sub);
            let most = repetition.max.unwrap_or(MAX_REPEATED).min(MAX_REPEATED);
            let least = repetition.min.min(MAX_REPEATED);
            let times = [
                least.max(1).min(most.max(least)),
                least,
                least.saturating_add(1).min(most),
                most,
            ];
            let times = times.map(|times| usize::try_from(times).unwrap_or_default());
            let first = inner.first().cloned().unwrap_or_default();
            let [once, ..] = times;
            let of_first = times.map(|times| first.repeat(times));
            let of_others = inner.iter().skip(1).map(|text| text.repeat(once));
            of_first.into_iter().chain(of_others).collect()
        }
    };
    texts.retain(|text| text.len() <= MAX_BYTES);
    texts.truncate(MAX_TEXTS);
    texts
}

/// Texts that vary one part at a time, beside the first text of every other part.
fn concatenated(parts: &[Hir]) -> Vec<String> {
    let parts: Vec<Vec<String>> = parts.iter().map(texts).collect();
    let first = |part: &Vec<String>| part.first().cloned().unwrap_or_default();
    let mut all = vec![parts.iter().map(first).collect::<String>()];
    for (varied, part) in parts.iter().enumerate() {
        for text in part.iter().skip(1) {
            let pieces = parts
                .iter()
                .enumerate()
                .map(|(place, part)| match place == varied {
                    true => text.clone(),
                    false => first(part),
                });
            all.push(pieces.collect());
        }
    }
    all
}

/// A character that reads well, and the ends of the class.
fn characters(class: &Class) -> Vec<String> {
    let Class::Unicode(class) = class else {
        return Vec::new();
    };
    let ranges = class.ranges();
    let holds = |c: char| {
        ranges
            .iter()
            .any(|range| range.start() <= c && c <= range.end())
    };
    let plain = PLAIN.into_iter().find(|c| holds(*c));
    let ends = [
        ranges.first().map(|range| range.start()),
        ranges.last().map(|range| range.end()),
    ];
    let all = std::iter::once(plain).chain(ends).flatten();
    all.map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::TextPattern;

    /// Each expression is matched by a text that was made of it, and not matched by another.
    #[test]
    fn texts_lie_on_both_sides() {
        for expression in [
            "47[0-9]{2}",
            "a|bc",
            "[a-z]+",
            "(x|y)?-[A-F0-9]{4}",
            "\\d{1,3}\\.\\d",
            "[^a]b*",
        ] {
            let pattern = TextPattern::compiled(expression).unwrap();
            let texts = around(expression);
            assert!(
                texts.iter().any(|text| pattern.holds(text)),
                "{expression}: {texts:?}"
            );
            assert!(
                texts.iter().any(|text| !pattern.holds(text)),
                "{expression}: {texts:?}"
            );
        }
    }
}
