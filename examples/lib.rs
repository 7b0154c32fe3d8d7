//! The programs beside this file are the examples; see the README.
//!
//! The Rust in the README and in the book is compiled here, as doctests.

/// The README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// The book.
#[cfg(doctest)]
pub mod book {
    #[doc = include_str!("../docs/guides/orchestrator.md")]
    pub struct Orchestrator;

    #[doc = include_str!("../docs/guides/service.md")]
    pub struct Service;

    #[doc = include_str!("../docs/guides/biscuit.md")]
    pub struct Biscuit;
}
