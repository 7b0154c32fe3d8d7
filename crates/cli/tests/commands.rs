//! Tests of `bailiwick` as people and programs use it. Each test runs the binary, and changes nothing in its
//! own process.
#![cfg(test)]
#![cfg(unix)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

/// The tests, one module per subject.
mod commands {
    mod book;
    mod demo;
    mod docs;
    mod lists;
    mod process;
    mod secrets;
    mod transcripts;
}
