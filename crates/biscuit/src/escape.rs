//! Escapes for untrusted text that is printed to a terminal, a log, or a person.
//!
//! A holder chooses the names in a token, and a caller those in a call. Printed unchanged, they could move the cursor,
//! reverse the direction of writing, or read like the words around them. So [`name`], [`phrase`], [`code`] and
//! [`quote`] quote and escape names that appear among other words: different names then print differently, and no name
//! can pretend to end early. [`visible`] is the last safeguard, for a complete line.
//!
//! Escapes are those of JSON (RFC 8259, section 7): `\n`, `\u202e`, and a pair of `\u` escapes for characters
//! beyond U+FFFF.

use std::{borrow::Cow, fmt, fmt::Write};

use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};

const CATEGORIES: CodePointMapDataBorrowed<'static, GeneralCategory> = CodePointMapData::new();

const IGNORABLE: CodePointSetDataBorrowed<'static> =
    CodePointSetData::new::<DefaultIgnorableCodePoint>();

/// Characters that Unicode classifies as symbols but that print blank: the empty Braille pattern, and a musical note
/// head without ink.
const BLANK: [char; 2] = ['\u{2800}', '\u{1d159}'];

/// Returns true if a character prints as itself and does not affect the text around it.
#[must_use]
pub fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let category = CATEGORIES.get(c);
    // Controls, formats (the bidirectional ones among them), private use and unassigned characters, and
    // every space and separator except the ASCII space.
    let unseen = GeneralCategoryGroup::Other.contains(category)
        || GeneralCategoryGroup::Separator.contains(category);
    !unseen && !IGNORABLE.contains(c) && !BLANK.contains(&c)
}

/// Escapes all unprintable characters of a complete line. JSON that has no white space between its tokens keeps
/// its meaning.
#[must_use]
pub fn visible(line: &str) -> Cow<'_, str> {
    let shown = Shown::new(line, |_| false);
    match shown.is_verbatim() {
        true => Cow::Borrowed(line),
        false => Cow::Owned(shown.to_string()),
    }
}

/// Writes a name among other words: unchanged if it is plain, such as `purchase_order:create` or `eu/*`,
/// and quoted otherwise.
pub fn name(text: &str) -> impl fmt::Display {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@*~+%=&?#!$".contains(c);
    either(text, !text.is_empty() && text.chars().all(plain))
}

/// Writes a description that takes up the rest of its line: unchanged if every character prints as itself and
/// neither end is a space or a quotation mark, and quoted otherwise.
pub fn phrase(text: &str) -> impl fmt::Display {
    let seen = |c: char| c != ' ' && c != '"';
    let ends = text.starts_with(seen) && text.ends_with(seen);
    either(text, ends && Shown::new(text, |c| c == '\\').is_verbatim())
}

fn either(text: &str, verbatim: bool) -> impl fmt::Display {
    fmt::from_fn(move |f| match verbatim {
        true => f.write_str(text),
        false => write!(f, "{}", quote(text)),
    })
}

/// Writes a JSON string literal, which a parser reads back as the same text.
pub fn quote(text: &str) -> impl fmt::Display {
    fmt::from_fn(move |f| write!(f, "\"{}\"", Shown::new(text, |c| matches!(c, '"' | '\\'))))
}

/// Writes text in backticks, as messages quote it.
pub fn code(text: &str) -> impl fmt::Display {
    fmt::from_fn(move |f| write!(f, "`{}`", Shown::new(text, |c| matches!(c, '`' | '\\'))))
}

/// Writes a word of a shell command, such as a name in a command that a message suggests. A shell reads it back as
/// the same text, whatever the text holds: a name such as `$(reboot)` runs nothing.
///
/// A text with unprintable characters becomes a `$'…'` word with octal escapes (POSIX.1-2024, section 2.2.4), so that
/// nothing in it can change the terminal.
///
/// ```
/// use bailiwick_biscuit::escape::shell;
///
/// assert_eq!(shell("agent:buyer").to_string(), "agent:buyer");
/// assert_eq!(shell("agent:$(reboot)").to_string(), "'agent:$(reboot)'");
/// assert_eq!(shell("Ada's").to_string(), r"'Ada'\''s'");
/// ```
pub fn shell(text: &str) -> impl fmt::Display {
    // Some shells expand `=` and `~` at the start of a word, and bash expands `!` from its history.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@%+,".contains(c);
    fmt::from_fn(move |f| {
        if !text.is_empty() && text.chars().all(plain) {
            return f.write_str(text);
        }
        if Shown::new(text, |_| false).is_verbatim() {
            return write!(f, "'{}'", text.replace('\'', r"'\''"));
        }
        f.write_str("$'")?;
        for part in parts(text, |c| matches!(c, '\'' | '\\')) {
            match part {
                Part::Verbatim(text) => f.write_str(text)?,
                Part::Escaped(c) => {
                    let mut bytes = [0; 4];
                    for byte in c.encode_utf8(&mut bytes).bytes() {
                        write!(f, "\\{byte:03o}")?;
                    }
                }
            }
        }
        f.write_char('\'')
    })
}

/// Writes a basic string of TOML 1.0, which has JSON's escapes, but no surrogate pairs.
pub fn quote_toml(text: &str) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        f.write_char('"')?;
        for part in parts(text, |c| matches!(c, '"' | '\\')) {
            match part {
                Part::Verbatim(text) => f.write_str(text)?,
                Part::Escaped(c) if u32::from(c) > 0xffff => write!(f, "\\U{:08x}", u32::from(c))?,
                Part::Escaped(c) => escape(f, c)?,
            }
        }
        f.write_char('"')
    })
}

/// Text whose unprintable and special characters are escaped.
struct Shown<'a, F> {
    text: &'a str,
    is_special: F,
}

impl<'a, F: Fn(char) -> bool + Copy> Shown<'a, F> {
    fn new(text: &'a str, is_special: F) -> Shown<'a, F> {
        Shown { text, is_special }
    }

    fn is_verbatim(&self) -> bool {
        parts(self.text, self.is_special).all(|part| matches!(part, Part::Verbatim(_)))
    }
}

impl<F: Fn(char) -> bool + Copy> fmt::Display for Shown<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in parts(self.text, self.is_special) {
            match part {
                Part::Verbatim(text) => f.write_str(text)?,
                Part::Escaped(c) => escape(f, c)?,
            }
        }
        Ok(())
    }
}

enum Part<'a> {
    Verbatim(&'a str),
    Escaped(char),
}

/// Splits text into stretches that print as themselves and characters that must be escaped.
fn parts<F: Fn(char) -> bool>(text: &str, is_special: F) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    let mut carries_marks = false;
    std::iter::from_fn(move || {
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            // A combining mark would be drawn over the quote or the letter before the name.
            let floats = !carries_marks && !c.is_ascii() && is_mark(c);
            if is_special(c) || floats || !is_printable(c) {
                end = at;
                break;
            }
            carries_marks = c.is_alphanumeric() || is_mark(c);
        }
        if end > 0 {
            let (verbatim, left) = rest.split_at_checked(end)?;
            rest = left;
            return Some(Part::Verbatim(verbatim));
        }
        let mut chars = rest.chars();
        let escaped = chars.next()?;
        rest = chars.as_str();
        carries_marks = false;
        Some(Part::Escaped(escaped))
    })
}

fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(CATEGORIES.get(c))
}

fn escape(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '"' | '\\' => write!(f, "\\{c}"),
        _ => (c.encode_utf16(&mut [0; 2]).iter()).try_for_each(|unit| write!(f, "\\u{unit:04x}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell must read each word back as the text, and nothing in it may run or change the terminal.
    #[test]
    fn shell_words_are_inert() {
        for (text, word) in [
            ("agent:buyer-7/eu.1@x", "agent:buyer-7/eu.1@x"),
            ("", "''"),
            ("a b", "'a b'"),
            ("agent:$(touch pwned)", "'agent:$(touch pwned)'"),
            ("`id`", "'`id`'"),
            ("a;b|c&d>e<f", "'a;b|c&d>e<f'"),
            ("\"quoted\"", "'\"quoted\"'"),
            ("it's", r"'it'\''s'"),
            (r"a\b", r"'a\b'"),
            ("~root", "'~root'"),
            ("a=b", "'a=b'"),
            ("#a!*?[]{}", "'#a!*?[]{}'"),
            ("\u{e4}", "'\u{e4}'"),
            ("a\nb", r"$'a\012b'"),
            ("a\u{202e}'\\b", r"$'a\342\200\256\047\134b'"),
            ("\u{1b}[2J", r"$'\033[2J'"),
        ] {
            let shown = shell(text).to_string();
            assert_eq!(shown, word, "{text:?}");
            assert_eq!(visible(&shown), shown, "{text:?}");
        }
    }

    /// The same with a real shell, which must give back the text byte for byte.
    #[test]
    fn a_shell_reads_words_back() {
        for text in [
            "$(echo x)`echo y`",
            "it's \\ \"a\"",
            "!*?[a]{b}~",
            "-n",
            " \t\u{202e}\n",
        ] {
            // `sh` may not know `$'…'` yet.
            for name in ["sh", "bash"] {
                let word = shell(text).to_string();
                if name == "sh" && word.starts_with('$') {
                    continue;
                }
                let script = format!("printf '%s' {word}");
                let run = std::process::Command::new(name)
                    .args(["-c", &script])
                    .output();
                if let Ok(output) = run {
                    assert_eq!(output.stdout, text.as_bytes(), "{name}: {word}");
                }
            }
        }
    }

    #[test]
    fn unseen_characters_are_escaped() {
        for c in [
            // C0, DEL, C1, and the separators of lines.
            '\0',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{2028}',
            '\u{2029}',
            // Direction.
            '\u{61c}',
            '\u{200e}',
            '\u{200f}',
            '\u{202a}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            // Characters without width, or without ink.
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180b}',
            '\u{200b}',
            '\u{200d}',
            '\u{2060}',
            '\u{2065}',
            '\u{2800}',
            '\u{1d159}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
            // Private use, unassigned, and noncharacters.
            '\u{e000}',
            '\u{f0000}',
            '\u{378}',
            '\u{fdd0}',
            '\u{ffff}',
            '\u{10ffff}',
        ] {
            assert!(!is_printable(c), "{c:?}");
            let text = format!("a{c}b");
            let shown = visible(&text);
            assert!(shown.is_ascii() && shown.contains('\\'), "{shown}");
            let read: String = serde_json::from_str(&quote(&text).to_string()).unwrap();
            assert_eq!(read, text);
        }
        for c in "aé中אب😀—“ß ~".chars() {
            assert!(is_printable(c), "{c:?}");
        }
    }

    #[test]
    fn names_are_quoted_unless_plain() {
        for plain in [
            "erp",
            "purchase_order:create",
            "eu/*",
            "a.b",
            "https://issuer.example",
        ] {
            assert_eq!(name(plain).to_string(), plain);
            assert_eq!(phrase(plain).to_string(), plain);
        }
        for (text, named, phrased) in [
            ("", r#""""#, r#""""#),
            ("a b", r#""a b""#, "a b"),
            ("a ", r#""a ""#, r#""a ""#),
            ("münchen", r#""münchen""#, "münchen"),
            ("x; y", r#""x; y""#, "x; y"),
            ("x\\u202e", r#""x\\u202e""#, r#""x\\u202e""#),
            ("x\u{202e}", r#""x\u202e""#, r#""x\u202e""#),
            ("\"x\"", r#""\"x\"""#, r#""\"x\"""#),
            ("\u{e0041}", r#""\udb40\udc41""#, r#""\udb40\udc41""#),
        ] {
            assert_eq!(name(text).to_string(), named);
            assert_eq!(phrase(text).to_string(), phrased);
        }
        assert_eq!(code("a`b\\").to_string(), r"`a\u0060b\\`");
    }

    #[test]
    fn combining_marks_need_a_letter() {
        assert_eq!(visible("e\u{301}"), "e\u{301}");
        assert_eq!(quote("\u{338}a").to_string(), r#""\u0338a""#);
        assert_eq!(visible("; \u{20e3}"), "; \\u20e3");
        assert_eq!(visible("हिन्दी"), "हिन्दी");
    }

    #[test]
    fn json_stays_the_same() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}\u{e0041}\n", 1, null], "é": "\""});
        let shown = visible(&value.to_string()).into_owned();
        assert!(shown.chars().all(is_printable), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }
}
