//! The tests beside this file cross the crates.
