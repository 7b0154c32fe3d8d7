//! Text on one line, and text without links.

use bailiwick_biscuit::escape::is_printable;
use unicode_normalization::char::is_combining_mark;

use super::UrlAt;

/// Default maximum length of a text on one line, in bytes.
pub const ONE_LINE_LENGTH: u32 = 1024;

/// Returns true if no character of `text` breaks the line, moves the text beside it, or is invisible: no control,
/// format, private-use or unassigned character, no line or paragraph separator, and no default-ignorable character.
pub(super) fn is_one_line(text: &str) -> bool {
    // Spaces of other widths are printed like the ASCII space, so they are not refused here.
    text.chars().all(|c| is_printable(c) || is_space(c))
}

fn is_space(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Markers of links in plain text, Markdown, HTML and Windows paths. `]:` begins a link's target, which may be far from
/// the link. HTML and Markdown read `&#46;` and `\.` as a dot.
const MARKERS: [&str; 13] = [
    "://", "//", "\\\\", "](", "]:", "<", ">", "&#", "\\.", "\\/", "\\:", "\\@", "www.",
];

/// Characters that mail and chat programs read as the dot of a domain name (UTS #46, section 4).
const DOTS: [char; 5] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{2024}'];

/// Returns true if `text` has nothing in it that a program commonly turns into a link. This is a filter, not a proof:
/// programs differ.
pub(super) fn has_no_links(text: &str) -> bool {
    let lower = text.to_lowercase();
    let marked = MARKERS.iter().any(|marker| lower.contains(marker));
    // An invisible character would split a word for this filter, but not for a reader.
    let parted = text.chars().any(|c| !is_printable(c) && !c.is_whitespace());
    let written = !marked && !parted && !has_reference(text);
    written && !has_scheme(text) && !has_address(text) && !has_domain(text)
}

/// Returns true if `text` has no links but URLs at certain places, each a word of its own. Brackets before a URL, and
/// brackets and punctuation after it, are not part of the URL.
pub(super) fn has_links_only_to(at: &UrlAt, text: &str) -> bool {
    // Programs differ about other white space: for some of them, a URL continues after it.
    text.split_ascii_whitespace().all(|word| {
        let opened = word.trim_start_matches('(');
        let url = opened.trim_end_matches([')', '.', ',']);
        let behind = opened.get(url.len()..).unwrap_or_default();
        // A program that counts some of these characters as part of the URL must not find a dot segment there.
        let is_alone = !behind.contains("..");
        // Programs differ in where a URL ends: after other characters they may see a second link.
        (is_alone && url.chars().all(is_of_url) && at.holds(url)) || has_no_links(word)
    })
}

fn is_of_url(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?=&%+".contains(c)
}

/// Finds `&name;`, a character that HTML and Markdown read as another one: `evil&period;test`.
fn has_reference(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        let end = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        end.len() < rest.len() && end.starts_with(';')
    })
}

/// Finds `scheme:x`: a colon directly after a word that could be a scheme, and no space after the colon.
fn has_scheme(text: &str) -> bool {
    text.match_indices(':').any(|(place, _)| {
        let (before, after) = text.split_at(place);
        let after = after.chars().nth(1);
        let word = before
            .rsplit(|c: char| !is_of_scheme(c))
            .next()
            .unwrap_or_default();
        // A program may find a scheme in `-tel:1`, but finds none in the time of `2026-12-01T10:30`.
        let mut parts = word.split(['+', '-', '.']);
        parts.any(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()))
            && after.is_some_and(|c| !c.is_whitespace())
    })
}

fn is_of_scheme(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// Finds an `@` before a name.
fn has_address(text: &str) -> bool {
    text.match_indices('@').any(|(place, _)| {
        let after = text.split_at(place).1.chars().nth(1);
        after.is_some_and(is_of_name)
    })
}

/// Finds names with a dot between them, the second with at least two letters: `acme.example`.
fn has_domain(text: &str) -> bool {
    let of_names = |c: char| is_of_name(c) || c == '-' || DOTS.contains(&c);
    let is_letter = |c: &char| c.is_alphabetic() || is_combining_mark(*c);
    text.split(|c: char| !of_names(c)).any(|name| {
        let labels = name.split(DOTS).filter(|label| !label.is_empty());
        // Some programs end a link before the last label: at `evil.test` in `evil.test.1`.
        labels
            .skip(1)
            .any(|label| label.chars().filter(is_letter).nth(1).is_some())
    })
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}
