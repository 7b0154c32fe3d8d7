//! The passphrase that opens the private keys.

use std::fmt;

use age::secrecy::SecretString;
use bailiwick_token::text::single_line;

/// Minimum number of characters in a passphrase.
pub const MIN_PASSPHRASE: usize = 12;

/// A passphrase. It is wiped from memory when dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// Reads a passphrase from the text of a file, a variable or a prompt, which must be one line. A leading byte
    /// order mark and one line ending (`\n` or `\r\n`) are removed, so that all sources give the same passphrase.
    /// Everything else is part of the passphrase, including spaces.
    ///
    /// # Errors
    /// [`PassphraseError`] for fewer than [`MIN_PASSPHRASE`] characters, and for more than one line.
    pub fn new(text: &str) -> Result<Passphrase, PassphraseError> {
        let line = single_line(text).ok_or(PassphraseError::Lines)?;
        if line.chars().count() < MIN_PASSPHRASE {
            return Err(PassphraseError::Short);
        }
        Ok(Passphrase(SecretString::from(line.to_owned())))
    }

    pub(crate) fn secret(&self) -> SecretString {
        self.0.clone()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrase").finish_non_exhaustive()
    }
}

/// The reason why a text cannot be a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// The text has too few characters.
    #[error(
        "the passphrase is shorter than {MIN_PASSPHRASE} characters; use four or more random words"
    )]
    Short,
    /// The text has more than one line.
    #[error("the passphrase has more than one line; give the passphrase and nothing else")]
    Lines,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use age::secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn short_passphrases_are_refused_and_none_is_shown() {
        for short in [
            "eleven char",
            "eleven char\n",
            "\u{feff}eleven char\r\n",
            "",
        ] {
            let refused = Passphrase::new(short).err();
            assert_eq!(refused, Some(PassphraseError::Short), "{short:?}");
        }
        let passphrase = Passphrase::new("twelve chars").unwrap();
        assert_eq!(format!("{passphrase:?}"), "Passphrase { .. }");
    }

    #[test]
    fn one_line_ending_is_removed() {
        for (text, secret) in [
            ("correct horse", "correct horse"),
            ("correct horse\n", "correct horse"),
            ("correct horse\r\n", "correct horse"),
            ("\u{feff}correct horse\n", "correct horse"),
            (" correct horse \n", " correct horse "),
        ] {
            let passphrase = Passphrase::new(text).unwrap();
            assert_eq!(passphrase.secret().expose_secret(), secret, "{text:?}");
        }
        for text in [
            "correct horse\n\n",
            "correct horse\r",
            "correct horse\nbattery",
            "\ncorrect horse",
            "correct horse\r\r\n",
        ] {
            let refused = Passphrase::new(text).err();
            assert_eq!(refused, Some(PassphraseError::Lines), "{text:?}");
        }
    }
}
