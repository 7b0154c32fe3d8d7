//! Bailiwick tokens for those who hold them.

pub mod timestamp;
