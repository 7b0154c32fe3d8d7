//! Bounds on Datalog text, checked before the parser reads it.
//!
//! The parser recurses on nested input, and its tree for a chain of operators is as deep as the chain is long.
//! Nesting and chains are both bounded here, in one pass over the text.

use super::{
    error::{Error, Fault},
    origin::Place,
};

/// Maximum length of a service's Datalog, in bytes.
pub const MAX_POLICY_BYTES: usize = 64 * 1024;

/// Maximum nesting depth of parentheses, brackets and braces in a service's Datalog.
pub const MAX_NESTING: usize = 24;

/// Maximum number of operator characters in one statement.
pub const MAX_OPERATORS: usize = 1024;

/// Maximum number of consecutive `!` operators.
const MAX_NEGATIONS: usize = 2;

/// Checks that the parser can read a text without exhausting the stack.
pub(super) fn bounded(code: &str) -> Result<(), Error> {
    let refused = |message: String| Error::Compile {
        place: Place::Authorizer,
        fault: Fault::Syntax(message),
    };
    if code.len() > MAX_POLICY_BYTES {
        return Err(refused(format!(
            "the text is longer than {MAX_POLICY_BYTES} bytes"
        )));
    }
    if !Readings::default().are_shallow(code) {
        return Err(refused(format!(
            "a statement nests more than {MAX_NESTING} deep, or has more than {MAX_OPERATORS} \
             operator characters"
        )));
    }
    Ok(())
}

/// The depth of nesting, and the number of operators in one statement so far.
#[derive(Clone, Copy, Default)]
struct Seen {
    depth: usize,
    negations: usize,
    operators: usize,
}

/// The states that the parser may be in at one place of the text, each with the highest counts that are
/// possible for it.
///
/// After an error, the parser continues after the next semicolon, even one inside a string, and comments hide
/// quotes. So a statement may begin after any semicolon, whatever precedes it.
#[derive(Default)]
struct Readings {
    statement: Option<Seen>,
    string: Option<Seen>,
    escape: Option<Seen>,
}

impl Readings {
    fn are_shallow(mut self, code: &str) -> bool {
        self.statement = Some(Seen::default());
        let mut before = b' ';
        code.bytes().all(|byte| {
            self.step(before, byte);
            before = byte;
            self.statement.is_none_or(|seen| seen.is_shallow())
        })
    }

    fn step(&mut self, before: u8, byte: u8) {
        let Readings {
            statement,
            string,
            escape,
        } = std::mem::take(self);
        match byte {
            b'"' => {
                // A quote may end a string, begin one, or be escaped in one, so every reading is followed.
                self.statement = string;
                self.string = most(statement, escape);
            }
            b'\\' => {
                self.escape = string;
                self.string = escape;
            }
            _ => {
                self.statement = statement.map(|seen| seen.and(byte));
                self.string = most(string, escape);
            }
        }
        match (before, byte) {
            // A semicolon in a string counts too: after an error the parser continues there.
            (_, b';') => self.statement = Some(Seen::default()),
            (_, b'\n' | b'\r') | (b'*', b'/') => {
                self.statement = most(self.statement, Some(Seen::default()));
            }
            _ => {}
        }
    }
}

impl Seen {
    fn and(mut self, byte: u8) -> Seen {
        let more = |count: usize| count.saturating_add(1);
        match byte {
            b'(' | b'[' | b'{' => self.depth = more(self.depth),
            b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b'!' => self.negations = more(self.negations),
            b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=' | b'&' | b'|' | b'^' | b'.' => {
                self.operators = more(self.operators);
            }
            _ => {}
        }
        // White space does not interrupt a run of `!`: the parser recurses on `! !` as well.
        if !(byte == b'!' || byte.is_ascii_whitespace()) {
            self.negations = 0;
        }
        self
    }

    fn is_shallow(self) -> bool {
        self.depth <= MAX_NESTING
            && self.negations <= MAX_NEGATIONS
            && self.operators <= MAX_OPERATORS
    }
}

fn most(one: Option<Seen>, other: Option<Seen>) -> Option<Seen> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Seen {
            depth: one.depth.max(other.depth),
            negations: one.negations.max(other.negations),
            operators: one.operators.max(other.operators),
        }),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::engine::Authorizer;

    fn nested(open: &str, middle: &str, close: &str, times: usize) -> String {
        format!("{}{middle}{}", open.repeat(times), close.repeat(times))
    }

    #[test]
    fn ordinary_policies_are_read() {
        for code in [
            "",
            "\n// a comment with an unbalanced ( and a \"\nallow if true;",
            "/* (((( */ deny if true; allow if user(\"((((;\"), [1, {\"a\": {1}}].length() == 2;",
            &format!("allow if {};", nested("(", "true", ")", MAX_NESTING)),
            &format!("allow if {};", nested("!(", "true", ")", MAX_NESTING)),
            &format!("allow if 1{} > 0;", "+1".repeat(MAX_OPERATORS - 1)),
            &"allow if (true);\n".repeat(2000),
        ] {
            let read = Authorizer::parse(code);
            assert!(read.is_ok(), "{read:?}: {}", &code[..code.len().min(80)]);
        }
    }

    #[test]
    fn input_that_would_exhaust_the_parser_is_refused() {
        for code in [
            nested("(", "true", ")", 20_000),
            nested("[", "1", "]", 20_000),
            nested("{\"a\": ", "1", "}", 10_000),
            "!".repeat(60_000),
            "! ".repeat(30_000),
            format!("1{}", "+1".repeat(30_000)),
            format!("true{}", "||true".repeat(10_000)),
            format!("\"a\"{}", ".length()".repeat(7_000)),
            // After a semicolon in a string that never ends, and after comments.
            format!("\";allow if {}", nested("(", "true", ")", 20_000)),
            format!("// \"\nallow if {}", nested("(", "true", ")", 20_000)),
            format!("/* \" */allow if {}", nested("(", "true", ")", 20_000)),
        ] {
            for code in [
                format!("allow if {code};"),
                format!("{code};"),
                format!("\"{code}"),
            ] {
                assert!(Authorizer::parse(&code).is_err(), "{}", &code[..40]);
            }
        }
        assert!(Authorizer::parse(&" ".repeat(MAX_POLICY_BYTES + 1)).is_err());
    }
}
