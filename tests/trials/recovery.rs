//! A clock goes wrong, or yesterday's store comes back, and a service and its followers recover. What promises seconds is
//! tried in `rotation.rs`, where nothing runs beside it.

#![cfg(test)]

mod recovery {
    mod clock;
    mod restore;
}
