//! Issuers and verifiers over a time: keys rotate, revocations add up, a backup is restored.

#![cfg(test)]

/// By subject.
mod histories {
    mod feed;
    mod restore;
    mod rotation;
}
