//! Grants in words that leave nothing out.

use std::fmt;

use super::{Grant, Grants};
use crate::escape::name;

impl Grants {
    /// The grants in words, a paragraph each. Unlike `Display` of a grant, the words also name what is not limited: any
    /// arguments, any resource, any time.
    ///
    /// ```
    /// use bailiwick_token::grant::{Grant, Grants};
    ///
    /// # fn main() -> Result<(), bailiwick_token::grant::GrantsError> {
    /// let grants = Grants::new([Grant::new("crm", "contact:*").resource("eu/*")])?;
    /// assert_eq!(
    ///     grants.in_words().to_string(),
    ///     "crm contact:*\n  on eu/*\n  with any arguments, or none\n  at any time\n"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_words(&self) -> impl fmt::Display {
        fmt::from_fn(|f| {
            for (index, grant) in self.iter().enumerate() {
                if index > 0 {
                    f.write_str("\n")?;
                }
                paragraph(f, grant)?;
            }
            Ok(())
        })
    }
}

fn paragraph(f: &mut fmt::Formatter<'_>, grant: &Grant) -> fmt::Result {
    let action = grant.action.to_string();
    writeln!(f, "{} {}", name(&grant.service), name(&action))?;
    match &grant.resource {
        None => writeln!(f, "  on any resource, or none")?,
        Some(resource) => writeln!(f, "  on {}", name(&resource.to_string()))?,
    }
    match &grant.args {
        None => writeln!(f, "  with any arguments, or none")?,
        Some(args) if args.is_empty() => writeln!(f, "  without arguments")?,
        Some(args) => {
            writeln!(f, "  with these arguments and no others:")?;
            for (argument, constraint) in args {
                // An optional constraint already says that the argument may be absent.
                let absent = if constraint.is_any() {
                    ", or absent"
                } else {
                    ""
                };
                writeln!(f, "    {}: {constraint}{absent}", name(argument))?;
            }
        }
    }
    match &grant.when {
        None => writeln!(f, "  at any time"),
        Some(when) => writeln!(f, "  {when}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_out() {
        for (rest, words) in [
            (
                "",
                "on any resource, or none\n  with any arguments, or none\n  at any time",
            ),
            (
                "resource = 'eu/*'\nargs = {}",
                "on eu/*\n  without arguments\n  at any time",
            ),
            (
                "args = { note = '*', to = 'x', from = { optional = true, one_line = true, max_len = 9 } }",
                "on any resource, or none\n  with these arguments and no others:\n    from: ",
            ),
            ("args = { note = '*' }", "    note: any value, or absent\n"),
            ("args = { to = 'x' }", "    to: exactly \"x\"\n"),
            (
                "when = { days = ['mon-fri'], from = '08:00', to = '18:00', zone = 'Europe/Berlin' }",
                "  on mon-fri from 08:00 to 18:00 (Europe/Berlin)\n",
            ),
        ] {
            let text = format!("[[grant]]\nservice = 'erp'\naction = 'a'\n{rest}");
            let shown = Grants::from_toml(&text).unwrap().in_words().to_string();
            assert!(shown.contains(words), "{shown}");
        }
    }

    #[test]
    fn an_optional_argument_may_be_absent() {
        let text = "[[grant]]\nservice = 'erp'\naction = 'a'\n[grant.args]\nnote = { optional = true, max_len = 9 }";
        let shown = Grants::from_toml(text).unwrap().in_words().to_string();
        assert_eq!(shown.matches("or absent").count(), 1, "{shown}");
    }

    /// A name with a line break, or words of its own, stays in its line.
    #[test]
    fn names_cannot_add_lines() {
        let grant = Grant::new("erp", "a").arg("x: any value\n  at any time", 5);
        let shown = Grants::new([grant]);
        // A control character is refused at once.
        assert!(shown.is_err());
        let grant = Grant::new("erp", "a").arg("x: any value, or absent", 5);
        let shown = Grants::new([grant]).unwrap().in_words().to_string();
        assert!(
            shown.contains("    \"x: any value, or absent\": exactly 5\n"),
            "{shown}"
        );
    }
}
