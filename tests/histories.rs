//! Issuers and verifiers over time: keys rotate, revocations add up, a backup is restored.

#![cfg(test)]

/// The histories, one module per subject.
mod histories {
    mod feed;
    mod restore;
    mod rotation;
}
