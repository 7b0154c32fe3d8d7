//! Tests of issuers and verifiers over time: keys rotate, revocations accumulate, a backup is restored.

#![cfg(test)]

/// The histories, one module per subject.
mod histories {
    mod feed;
    mod restore;
    mod rotation;
}
