//! Trials of recovery: a clock goes wrong, or yesterday's store comes back, and a service and its followers
//! recover. Promises in seconds are tried in `rotation.rs`, where nothing else runs.

#![cfg(test)]

mod recovery {
    mod clock;
    mod restore;
}
