//! Authorization of Biscuits from any issuer: a token is verified under one root key, and a service's own
//! Datalog decides.
//!
//! Verification follows the Biscuit specification: signatures of version 0 and 1 by either algorithm,
//! signatures of third parties, open and sealed tokens. A token is accepted only if every part verifies. A
//! token that exceeds the limits below is refused before any expensive work.
//!
//! ```
//! use bailiwick_biscuit::authorize::{DEFAULT_FUEL, Externs, Key, Outcome, authorize};
//!
//! # fn example(token: &[u8], root: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let root: Key = root.parse()?;
//! let policies = r#"operation("read"); allow if user($user), operation("read");"#;
//! let report = authorize(token, &root, policies, &Externs::default(), DEFAULT_FUEL);
//! match report.outcome {
//!     Outcome::Allow { policy } => println!("policy {policy} allows it"),
//!     Outcome::Deny { .. } => println!("denied"),
//!     Outcome::Error(error) => println!("{}: {error}", error.kind),
//! }
//! # Ok(())
//! # }
//! ```

use crate::{
    chain::{self, ChainError, ThirdParties},
    container::{Container, ContainerError},
    datalog::{BlockError, Code},
    engine::{self, Program},
};

mod input;
mod outcome;

pub use crate::{
    container::MAX_BYTES,
    engine::{
        Authorizer, Budget, DEFAULT_FUEL, DEFAULT_MEMORY, Extern, Externs, FailedCheck, MAX_BLOCKS,
        MAX_NESTING, MAX_OPERATORS, MAX_POLICY_BYTES, Matched, Place,
    },
    key::{Key, KeyError, P256Key},
};
pub use outcome::{Error, ErrorKind, Outcome, Report};

/// Maximum nesting depth of messages in a container or a block, including terms and closures. The protobuf
/// decoder enforces it.
pub const MAX_DEPTH: usize = 100;

/// A Biscuit whose container has been read. None of it has been verified.
#[derive(Debug, Clone)]
pub struct Unverified(Container);

impl Unverified {
    /// Reads the binary form, or the text form: base64url, with or without padding. Surrounding white space
    /// is ignored.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] if the input is in neither form, or exceeds the limits.
    pub fn read(input: &[u8]) -> Result<Unverified, Error> {
        let container = input::container(input)?;
        let blocks = container.block_count();
        if blocks > MAX_BLOCKS {
            return Err(Error::format(format!(
                "the token has {blocks} blocks, above the limit of {MAX_BLOCKS}"
            )));
        }
        Ok(Unverified(container))
    }

    /// Returns the revocation id of each block, beginning with the authority block. The id is the block's
    /// signature; for ECDSA, the form of the signature with the lower s. Without the root key, the algorithm of
    /// the authority block's signature is inferred from the signature's length.
    #[must_use]
    pub fn revocation_ids(&self, root: Option<&Key>) -> Vec<Vec<u8>> {
        chain::revocation_ids(&self.0, root)
    }

    /// Verifies every signature under `root`, and decodes the blocks.
    ///
    /// # Errors
    /// [`ErrorKind::Signature`] or [`ErrorKind::Format`], naming the block; [`ErrorKind::Rule`] for a
    /// rule whose head uses a variable that its body does not bind.
    pub fn verify(self, root: &Key) -> Result<Biscuit, Error> {
        self.verified(root, ThirdParties::Current)
    }

    /// Like [`Unverified::verify`], but also accepts third-party signatures of version 0. The specification no
    /// longer supports them: a holder can move a block that is signed that way into another token, so nothing
    /// in such a block is bound to the token that contains it.
    ///
    /// # Errors
    /// As for [`Unverified::verify`].
    pub fn verify_deprecated(self, root: &Key) -> Result<Biscuit, Error> {
        self.verified(root, ThirdParties::Deprecated)
    }

    fn verified(self, root: &Key, third_parties: ThirdParties) -> Result<Biscuit, Error> {
        // Signatures first, so that the Datalog decoder never reads the bytes of an unsigned token here.
        chain::verify(&self.0, root, third_parties)?;
        let revocation_ids = self.revocation_ids(Some(root));
        let stated_ids = chain::stated_revocation_ids(&self.0, root);
        let code = self.decode()?;
        engine::heads(&code)?;
        Ok(Biscuit {
            code,
            revocation_ids,
            stated_ids,
        })
    }

    /// Decodes the blocks of an unverified token, for inspection.
    ///
    /// # Errors
    /// [`ErrorKind::Format`], naming the block.
    pub fn decode(&self) -> Result<Code, Error> {
        Ok(Code::of(&self.0)?)
    }

    /// Returns the container.
    #[must_use]
    pub fn container(&self) -> &Container {
        &self.0
    }
}

/// A Biscuit whose signatures have all been verified, and its blocks decoded. Only [`Unverified::verify`] and
/// [`Unverified::verify_deprecated`] can make one.
#[derive(Debug, Clone)]
pub struct Biscuit {
    code: Code,
    revocation_ids: Vec<Vec<u8>>,
    /// The contents of the `revocation_id` facts: each id with the number of its block.
    stated_ids: Vec<(usize, Vec<u8>)>,
}

impl Biscuit {
    /// The revocation id of each block, as [`Unverified::revocation_ids`] returns them.
    #[must_use]
    pub fn revocation_ids(&self) -> &[Vec<u8>] {
        &self.revocation_ids
    }

    /// Evaluates a service's Datalog, as read by [`policies`], within a budget. A number is an amount of fuel,
    /// with the default memory; a [`Budget`] sets both.
    ///
    /// The Datalog sees the fact `revocation_id($index, $bytes)` for each block. A block with an ECDSA
    /// signature has two such facts, one per form of the signature, so a revocation list matches whichever form
    /// it holds.
    #[must_use]
    pub fn authorize(
        &self,
        policies: &Authorizer,
        externs: &Externs,
        budget: impl Into<Budget>,
    ) -> Outcome {
        match Program::compile(&self.code, policies) {
            Ok(program) => program
                .decide(externs, budget.into(), &self.stated_ids)
                .into(),
            Err(error) => Outcome::Error(error.into()),
        }
    }
}

/// Reads a service's facts, rules, checks and policies.
///
/// # Errors
/// [`ErrorKind::Rule`] if the text is not Datalog, or exceeds the limits.
pub fn policies(code: &str) -> Result<Authorizer, Error> {
    Ok(Authorizer::parse(code)?)
}

/// Reads and verifies a token, and evaluates a service's Datalog on it, in one call.
#[must_use]
pub fn authorize(
    token: &[u8],
    root: &Key,
    code: &str,
    externs: &Externs,
    budget: impl Into<Budget>,
) -> Report {
    let unverified = match Unverified::read(token) {
        Ok(unverified) => unverified,
        Err(error) => {
            return Report {
                outcome: Outcome::Error(error),
                revocation_ids: None,
            };
        }
    };
    let revocation_ids = unverified.revocation_ids(Some(root));
    let decided = unverified
        .verify(root)
        .and_then(|biscuit| Ok(biscuit.authorize(&policies(code)?, externs, budget)));
    Report {
        outcome: decided.unwrap_or_else(Outcome::Error),
        revocation_ids: Some(revocation_ids),
    }
}

impl From<ContainerError> for Error {
    fn from(error: ContainerError) -> Error {
        Error::format(error)
    }
}

impl From<BlockError> for Error {
    fn from(error: BlockError) -> Error {
        Error::format(error)
    }
}

impl From<ChainError> for Error {
    fn from(error: ChainError) -> Error {
        let kind = match error.is_form() {
            true => ErrorKind::Format,
            false => ErrorKind::Signature,
        };
        Error::new(kind, error)
    }
}
