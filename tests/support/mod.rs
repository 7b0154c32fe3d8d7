//! Shared parts of the tests of laws: random grants, calls and programs, and independent judges of them.

#![allow(dead_code, reason = "each test uses its part of it")]

pub mod bodies;
pub mod calls;
pub mod fold;
pub mod oracle;
pub mod page;
pub mod program;
pub mod random;
pub mod reference;
pub mod stated;
pub mod ways;
