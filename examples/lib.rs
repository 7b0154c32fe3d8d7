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
    #[doc = include_str!("../docs/guides/narrow.md")]
    pub struct Narrow;

    #[doc = include_str!("../docs/guides/protect.md")]
    pub struct Protect;

    #[doc = include_str!("../docs/guides/rules.md")]
    pub struct Rules;

    #[doc = include_str!("../docs/guides/biscuit.md")]
    pub struct Biscuit;

    #[doc = include_str!("../docs/reference/verifier.md")]
    pub struct Verifier;
}
