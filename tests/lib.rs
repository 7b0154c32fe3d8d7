//! Tests that involve several crates. They are in the files beside this one.
