//! The passphrase that opens the private keys.

use std::fmt;

use age::secrecy::SecretString;

/// The least number of characters in a passphrase.
pub const MIN_PASSPHRASE: usize = 12;

/// A passphrase: wiped from memory when dropped, and shown by nothing.
#[derive(Clone)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// Takes the text as it stands; a line break at the end of a file is the caller's to strip.
    ///
    /// # Errors
    /// [`PassphraseError`] below [`MIN_PASSPHRASE`] characters.
    pub fn new(text: &str) -> Result<Passphrase, PassphraseError> {
        if text.chars().count() < MIN_PASSPHRASE {
            return Err(PassphraseError);
        }
        Ok(Passphrase(SecretString::from(text.to_owned())))
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

/// The passphrase is too short.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a passphrase has at least {MIN_PASSPHRASE} characters: use four or more random words")]
pub struct PassphraseError;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn short_ones_are_refused_and_none_is_shown() {
        assert_eq!(Passphrase::new("eleven char").err(), Some(PassphraseError));
        let passphrase = Passphrase::new("twelve chars").unwrap();
        assert_eq!(format!("{passphrase:?}"), "Passphrase { .. }");
    }
}
