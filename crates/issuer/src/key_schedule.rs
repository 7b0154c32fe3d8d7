//! The next transitions of the root keys: those that are due, and those that a guard delays.

use bailiwick_token::timestamp::Timestamp;

use crate::{
    issuer::Issuer,
    keyring::{DueStep, Guard, Ring, TransitionError},
    keys::{Fresh, RootKeyError, rotate},
    keyset,
};

/// The next transitions of the root keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchedule {
    /// The transitions that a rotation would make now.
    pub due: Vec<DueStep>,
    /// The guards that the other transitions wait for.
    pub waiting: Vec<Guard>,
}

impl Issuer {
    /// Returns the transitions that [`Issuer::rotate`] would make at this time, and the guards that it would
    /// wait for. This needs no private key and changes nothing.
    ///
    /// # Errors
    /// [`RootKeyError`] if the rotation would be refused, or the database cannot be read.
    pub async fn key_schedule(&self, now: Timestamp) -> Result<KeySchedule, RootKeyError> {
        let mut tx = self.store.read().await?;
        let reports = tx.keysets_in_use().await?;
        let ring = keyset::ring(&mut tx, &self.settings)
            .await?
            .with_reports(reports);
        Ok(schedule(ring, &self.settings.issuer, now)?)
    }
}

fn schedule(ring: Ring, issuer: &str, now: Timestamp) -> Result<KeySchedule, TransitionError> {
    // This runs the rotation itself, so that both always agree. A key that the rotation creates is dropped with
    // `fresh`.
    let mut fresh = Fresh::new(issuer);
    let (rotated, waiting) = rotate(ring.clone(), &mut fresh, now)?;
    let changes = rotated.changes().iter();
    let due = changes.filter_map(|change| ring.due(change, now)).collect();
    Ok(KeySchedule { due, waiting })
}
