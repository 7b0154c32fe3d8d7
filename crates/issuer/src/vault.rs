//! Encryption of private keys at rest. Only this module decrypts them.
//!
//! `identity.age` contains an age X25519 identity, encrypted with the passphrase. Every private key is a row in
//! the database, encrypted to that identity, so that a process runs scrypt only once. The file and the rows are
//! plain age files: in an emergency, `age -d identity.age` decrypts the identity, and the identity decrypts the
//! rows.

use std::{
    fmt,
    io::{self, Read, Write},
    iter,
};

use age::{Decryptor, Encryptor, scrypt, secrecy::ExposeSecret, x25519};
use bailiwick_token::key::PublicKey;
use ed25519_dalek::{SigningKey, pkcs8::DecodePrivateKey};
use zeroize::Zeroizing;

use crate::passphrase::Passphrase;

/// Work factor of scrypt: N is 2 to this power, which takes 64 MiB and about a tenth of a second per guess. The
/// factor is fixed rather than measured, so that a slow machine does not write a weak file. The identity is
/// random, so only the passphrase can be guessed.
const WORK_FACTOR: u8 = 16;

/// Maximum work factor of a file that is read. A replaced file could demand unlimited work.
const MAX_WORK_FACTOR: u8 = 20;

/// The identity that opens the private keys.
pub(crate) struct Vault(x25519::Identity);

impl Vault {
    /// Creates a new identity.
    pub(crate) fn generate() -> Vault {
        Vault(x25519::Identity::generate())
    }

    /// Returns the public half in age's text form.
    pub(crate) fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// Returns the identity as a file encrypted with `passphrase`.
    pub(crate) fn to_file(&self, passphrase: &Passphrase) -> Result<Vec<u8>, VaultError> {
        let mut recipient = scrypt::Recipient::new(passphrase.secret());
        recipient.set_work_factor(WORK_FACTOR);
        encrypt(&recipient, self.0.to_string().expose_secret().as_bytes())
    }

    /// Reads a file that [`Vault::to_file`] wrote.
    pub(crate) fn from_file(file: &[u8], passphrase: &Passphrase) -> Result<Vault, VaultError> {
        let mut identity = scrypt::Identity::new(passphrase.secret());
        identity.set_max_work_factor(MAX_WORK_FACTOR);
        // An identity has 74 characters, and age's own tools add a line break. A fixed buffer is wiped as a whole. A
        // growing one would leave copies behind.
        let mut text = Zeroizing::new([0; 128]);
        // For a row, the same failure has another cause, because no passphrase is involved.
        let length = decrypt(&identity, file, &mut *text).map_err(|error| match error {
            VaultError::Decrypt => VaultError::WrongPassphrase,
            other => other,
        })?;
        let text = text
            .get(..length)
            .and_then(|text| std::str::from_utf8(text).ok());
        let identity = text.and_then(|text| text.trim_end().parse().ok());
        identity.map(Vault).ok_or(VaultError::Damaged)
    }

    /// Encrypts the private half of a key.
    pub(crate) fn seal(&self, key: &SigningKey) -> Result<Vec<u8>, VaultError> {
        encrypt(&self.0.to_public(), key.as_bytes())
    }

    /// Decrypts the private half of `public`. A row that belongs to another key is refused.
    pub(crate) fn unseal(
        &self,
        sealed: &[u8],
        public: &PublicKey,
    ) -> Result<SigningKey, VaultError> {
        let mut secret = Zeroizing::new([0; 32]);
        if decrypt(&self.0, sealed, &mut *secret)? != secret.len() {
            return Err(VaultError::Damaged);
        }
        let key = SigningKey::from_bytes(&secret);
        // All rows are encrypted to one identity, so decryption alone would accept the row of another key: an
        // attacker who can write to the database could exchange rows, and one key would sign in place of
        // another.
        if key.verifying_key().as_bytes() != public.as_bytes() {
            return Err(VaultError::Damaged);
        }
        Ok(key)
    }
}

/// The private half of a root key that was created elsewhere. It is wiped from memory on drop, and `Debug` does
/// not show it.
pub struct ImportedKey(pub(crate) SigningKey);

impl ImportedKey {
    /// Reads an Ed25519 private key: PKCS#8 in PEM (RFC 8410), as `openssl genpkey` writes it, or 64 hex
    /// digits, optionally after `ed25519-private/`, as `biscuit keypair` writes them.
    ///
    /// # Errors
    /// [`ImportError`], which repeats no part of the text.
    pub fn parse(text: &str) -> Result<ImportedKey, ImportError> {
        let text = text.trim();
        if text.starts_with("-----BEGIN") {
            return SigningKey::from_pkcs8_pem(text)
                .map(ImportedKey)
                .map_err(|_| ImportError);
        }
        let digits = text.strip_prefix("ed25519-private/").unwrap_or(text);
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(digits, &mut *secret).map_err(|_| ImportError)?;
        Ok(ImportedKey(SigningKey::from_bytes(&secret)))
    }
}

impl fmt::Debug for ImportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedKey").finish_non_exhaustive()
    }
}

/// The error of a text that is not an Ed25519 private key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an Ed25519 private key; give PKCS#8 in PEM (`openssl genpkey -algorithm ed25519`), or 64 hex digits"
)]
pub struct ImportError;

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("recipient", &self.recipient())
            .finish_non_exhaustive()
    }
}

/// An error of encrypting or decrypting private keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The passphrase does not open `identity.age`.
    #[error(
        "the passphrase does not open `identity.age`; check the passphrase, and that the home is the right one"
    )]
    WrongPassphrase,
    /// The identity does not decrypt a private key.
    #[error(
        "a private key cannot be decrypted with the `identity.age` of this home; restore the home from a backup"
    )]
    Decrypt,
    /// This program did not write the file or row.
    #[error("`identity.age` or a private key is damaged; restore the home from a backup")]
    Damaged,
    /// The identity and the database belong to different homes.
    #[error(
        "`identity.age` and `issuer.db` belong to different homes; restore both from the same backup"
    )]
    Mixed,
    /// Encryption failed.
    #[error("a private key cannot be encrypted ({0}); free memory and try again")]
    Encrypt(io::Error),
}

fn encrypt(recipient: &dyn age::Recipient, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let encryptor = Encryptor::with_recipients(iter::once(recipient))
        .map_err(|error| VaultError::Encrypt(io::Error::other(error.to_string())))?;
    let mut sealed = Vec::new();
    let mut writer = encryptor
        .wrap_output(&mut sealed)
        .map_err(VaultError::Encrypt)?;
    writer.write_all(plain).map_err(VaultError::Encrypt)?;
    // This writes the last chunk. Without it, the file would be read as cut off.
    writer.finish().map_err(VaultError::Encrypt)?;
    Ok(sealed)
}

/// Decrypts into a buffer that the caller wipes, and returns the length. Plaintext that does not fit is an
/// error.
fn decrypt(
    identity: &dyn age::Identity,
    sealed: &[u8],
    plain: &mut [u8],
) -> Result<usize, VaultError> {
    let decryptor = Decryptor::new_buffered(sealed).map_err(|_| VaultError::Damaged)?;
    let mut reader = decryptor
        .decrypt(iter::once(identity))
        .map_err(|error| match error {
            age::DecryptError::NoMatchingKeys
            | age::DecryptError::KeyDecryptionFailed
            | age::DecryptError::DecryptionFailed => VaultError::Decrypt,
            _ => VaultError::Damaged,
        })?;
    let mut length = 0;
    while let Some(rest) = plain.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest).map_err(|_| VaultError::Damaged)? {
            0 => return Ok(length),
            read => length = length.saturating_add(read),
        }
    }
    // The buffer is full, so one more byte is too many. Reading to the end also shows that the last chunk is there:
    // age authenticates each chunk when it is read.
    match reader.read(&mut [0]).map_err(|_| VaultError::Damaged)? {
        0 => Ok(length),
        _ => Err(VaultError::Damaged),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn key(seed: u8) -> (SigningKey, PublicKey) {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public = key.verifying_key().try_into().unwrap();
        (key, public)
    }

    #[test]
    fn the_identity_opens_with_its_passphrase_only() {
        let right = Passphrase::new("correct horse battery").unwrap();
        let wrong = Passphrase::new("incorrect horse battery").unwrap();
        let vault = Vault::generate();
        let mut file = vault.to_file(&right).unwrap();
        assert_eq!(
            Vault::from_file(&file, &right).unwrap().recipient(),
            vault.recipient()
        );
        assert!(matches!(
            Vault::from_file(&file, &wrong),
            Err(VaultError::WrongPassphrase)
        ));
        file.pop();
        assert!(matches!(
            Vault::from_file(&file, &right),
            Err(VaultError::Damaged)
        ));
        assert!(matches!(
            Vault::from_file(b"", &right),
            Err(VaultError::Damaged)
        ));
    }

    #[test]
    fn a_key_opens_as_itself_only() {
        let vault = Vault::generate();
        let ((one, one_public), (_, two_public)) = (key(1), key(2));
        let mut sealed = vault.seal(&one).unwrap();
        assert_eq!(vault.unseal(&sealed, &one_public).unwrap(), one);
        assert!(matches!(
            vault.unseal(&sealed, &two_public),
            Err(VaultError::Damaged)
        ));
        assert!(matches!(
            Vault::generate().unseal(&sealed, &one_public),
            Err(VaultError::Decrypt)
        ));
        *sealed.last_mut().unwrap() ^= 1;
        assert!(vault.unseal(&sealed, &one_public).is_err());
    }

    #[test]
    fn a_key_is_imported_in_each_of_its_forms_and_shown_in_none() {
        // RFC 8410, section 10.3.
        let pem = "-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
            -----END PRIVATE KEY-----\n";
        let digits = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
        let prefixed = format!(" ed25519-private/{digits}\n");
        for text in [pem, digits, &prefixed] {
            let key = ImportedKey::parse(text).unwrap();
            assert_eq!(hex::encode(key.0.to_bytes()), digits);
            assert_eq!(format!("{key:?}"), "ImportedKey { .. }");
        }
        for text in ["", "ed25519/", &digits[1..], "-----BEGIN PRIVATE KEY-----"] {
            assert_eq!(ImportedKey::parse(text).err(), Some(ImportError));
        }
    }

    #[test]
    fn debug_shows_the_public_half_and_nothing_else() {
        let vault = Vault::generate();
        let shown = format!("{vault:?}");
        assert!(shown.contains(&vault.recipient()));
        assert!(!shown.to_uppercase().contains("SECRET"));
    }
}
